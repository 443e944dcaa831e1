import { graphemes } from "./plain_text.ts";

/** What one text and one nickname may be, on every site; a test holds these to the server's own numbers. */
export const TEXT_GRAPHEMES = 4_000;
export const TEXT_BYTES = 16 * 1_024;
export const NICKNAME_GRAPHEMES = 64;

/** How many more characters may be written; below zero: how many are too many. Exact near the limit, where it is shown. */
export function textRoom(text: string): number {
  // No character is worth more than three bytes for each of its units.
  if (text.length < TEXT_GRAPHEMES * 0.85) return TEXT_GRAPHEMES - text.length;
  const count = graphemes(text);
  const bytes = new TextEncoder().encode(text).length;
  return Math.min(TEXT_GRAPHEMES - count, Math.floor((TEXT_BYTES - bytes) / (bytes / count)));
}

/** Near enough to the limit to be told. */
export const textRoomShown = (room: number): boolean => room <= TEXT_GRAPHEMES * 0.1;
