/** The host name in typed or pasted text ("https://shop.example/x" → "shop.example"), or null. */
export function hostOf(typed: string): string | null {
  const bare = typed.trim().toLowerCase().replace(/^https?:\/\//, '').replace(/[/?#].*$/, '');
  const wild = bare.startsWith('*.');
  try {
    const { hostname } = new URL(`http://${wild ? bare.slice(2) : bare}`);
    if (!hostname || /[^a-z0-9.-]/.test(hostname)) return null;
    return wild ? `*.${hostname}` : hostname;
  } catch {
    return null;
  }
}

/** The port in typed or pasted text, which the list of domains leaves out; or null. */
export function portOf(typed: string): string | null {
  return /^\s*(?:https?:\/\/)?[^/?#:]+:(\d+)/i.exec(typed)?.[1] ?? null;
}

/** Whether a list of domains lets in pages of this origin, as the server decides it. An empty list lets in all. */
export function covers(domains: readonly string[], origin: string): boolean {
  const { hostname } = new URL(origin);
  return domains.length === 0 || domains.some((domain) => (domain.startsWith('*.') ? hostname.endsWith(domain.slice(1)) : hostname === domain));
}
