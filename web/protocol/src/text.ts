/** A name without control and bidi characters; `otherwise` when nothing visible is left. */
export function sanitizeName(name: string | null | undefined, otherwise: string): string {
  const plain = (name ?? "").replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "").trim();
  return plain.replace(/[\p{Cf}\p{Z}\u2800\u3164]/gu, "") === "" ? otherwise : plain;
}

/** Removes control characters; keeps line breaks and tabs. */
export function sanitizeText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
}

/** Splits into grapheme clusters, the characters that people see; into code points in browsers without Intl.Segmenter. */
function charactersOf(text: string): string[] {
  if (typeof Intl.Segmenter !== "function") return [...text];
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

/** The number of grapheme clusters. */
export function graphemes(text: string): number {
  return charactersOf(text).length;
}

/** The first `count` grapheme clusters; cuts none in half. */
export function truncate(text: string, count: number): string {
  // A cluster is at least one UTF-16 unit.
  return text.length <= count ? text : charactersOf(text).slice(0, count).join("");
}

/** Is the text one to six emoji and nothing else? Such a message is shown large. */
export function onlyEmoji(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.length <= 60 && /^(?:(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)[\u{1f3fb}-\u{1f3ff}\ufe0f\u200d\u20e3\p{Emoji_Presentation}\s]*)+$/u.test(trimmed) && graphemes(trimmed.replace(/\s/g, "")) <= 6;
}
