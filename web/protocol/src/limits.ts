import { graphemes } from "./text.ts";

/** Maximum length of a message text and of a nickname, on every site; a test compares these with the server's constants. */
export const TEXT_GRAPHEMES = 4_000;
export const TEXT_BYTES = 16 * 1_024;
export const NICKNAME_GRAPHEMES = 64;

/** How many characters may still be typed; negative: how many are too many. Exact near the limit, where it is shown. */
export function remainingCharacters(text: string): number {
  // In UTF-8 no character takes more than three bytes for each of its UTF-16 units.
  if (text.length < TEXT_GRAPHEMES * 0.85) return TEXT_GRAPHEMES - text.length;
  const count = graphemes(text);
  const bytes = new TextEncoder().encode(text).length;
  return Math.min(TEXT_GRAPHEMES - count, Math.floor((TEXT_BYTES - bytes) / (bytes / count)));
}

/** Is the text close enough to the limit to show the count? */
export const isNearTextLimit = (room: number): boolean => room <= TEXT_GRAPHEMES * 0.1;
