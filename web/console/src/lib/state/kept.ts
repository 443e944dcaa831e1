// Browser storage that may be full, blocked or absent: then a value lives as long as the page.
const memory = new Map<string, string>();

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(name) ?? memory.get(name) ?? null;
  } catch {
    return memory.get(name) ?? null;
  }
}

export function keep(name: string, value: string | null): void {
  if (value === null) memory.delete(name);
  else memory.set(name, value);
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // Memory has it.
  }
}

export function keptNames(prefix: string): string[] {
  const names = new Set([...memory.keys()].filter((name) => name.startsWith(prefix)));
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const name = localStorage.key(i);
      if (name?.startsWith(prefix)) names.add(name);
    }
  } catch {
    // Memory has them.
  }
  return [...names];
}
