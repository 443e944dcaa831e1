/** What people may call themselves: no control or direction characters, nothing invisible alone. */
export function plainName(name: string | null | undefined, otherwise: string): string {
  const plain = (name ?? "").replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "").trim();
  return plain.replace(/[\p{Cf}\p{Z}\u2800\u3164]/gu, "") === "" ? otherwise : plain;
}

/** Controls out, line breaks and tabs kept. */
export function plainText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "");
}

/** Characters as people see them; smaller pieces where the browser cannot segment. */
function charactersOf(text: string): string[] {
  if (typeof Intl.Segmenter !== "function") return [...text];
  return Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);
}

export function graphemes(text: string): number {
  return charactersOf(text).length;
}

/** Its first characters, each of them whole. */
export function beginning(text: string, count: number): string {
  // No character is less than one unit.
  return text.length <= count ? text : charactersOf(text).slice(0, count).join("");
}

/** Up to six pictographs and nothing else: shown large. */
export function onlyEmoji(text: string): boolean {
  const trimmed = text.trim();
  return trimmed.length <= 60 && /^(?:(?:\p{RI}\p{RI}|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)[\u{1f3fb}-\u{1f3ff}\ufe0f\u200d\u20e3\p{Emoji_Presentation}\s]*)+$/u.test(trimmed) && graphemes(trimmed.replace(/\s/g, "")) <= 6;
}
