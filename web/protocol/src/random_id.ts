const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => unknown;

/** A random id of 22 characters (132 bits), for a message that the server has not stored yet or an anonymous visitor. */
export function randomId(fill: FillRandom = (bytes) => crypto.getRandomValues(bytes)): string {
  const bytes = new Uint8Array(22);
  fill(bytes);
  let id = "";
  for (const byte of bytes) id += ALPHABET[byte & 63];
  return id;
}
