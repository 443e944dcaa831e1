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
