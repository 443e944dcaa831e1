const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => unknown;

/** 22 characters that carry 132 bits: names a message before the server has seen it, or a browser before it has a name. */
export function randomId(fill: FillRandom = (bytes) => crypto.getRandomValues(bytes)): string {
  const bytes = new Uint8Array(22);
  fill(bytes);
  let id = "";
  for (const byte of bytes) id += ALPHABET[byte & 63];
  return id;
}
