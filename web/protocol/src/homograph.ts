/** Cyrillic and Greek letters that look like Latin ones: a label made of these alone is a homograph attack. */
const LATIN_LOOKALIKES = /^[асԁеһіјӏорԛѕԝхуьԍɡνοραικ\d-]+$/iu;
const JAPANESE = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Common}ー]+$/u;
const SCRIPTS = ["Latin", "Cyrillic", "Greek", "Han", "Hiragana", "Katakana", "Hangul", "Arabic", "Hebrew", "Thai", "Devanagari", "Armenian", "Georgian"];
const ONE_SCRIPT = SCRIPTS.map((script) => new RegExp(`^[\\p{Script=${script}}\\p{Script=Common}\\p{Script=Inherited}]+$`, "u"));

/** May this host name be shown in Unicode? If not, its Punycode form is shown. */
export function isSafeToDisplay(host: string): boolean {
  return host.split(".").every((label) => /^[\x20-\x7e]*$/.test(label) || isSafeLabel(label));
}

function isSafeLabel(label: string): boolean {
  if (LATIN_LOOKALIKES.test(label)) return false;
  return JAPANESE.test(label) || ONE_SCRIPT.some((script) => script.test(label));
}
