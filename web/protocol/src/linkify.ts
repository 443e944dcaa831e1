import { isSafeToDisplay } from "./homograph.ts";

/** A run of plain text, or a link with the text to show for it. Rendered as DOM nodes, never as markup. */
export type Piece = { text: string; href?: string };

const TOP_LEVEL =
  "com|org|net|edu|gov|info|biz|dev|app|shop|store|online|site|xyz|io|co|ai|me|tv|eu|us|uk|ca|au|nz|ie|de|at|ch|fr|be|nl|lu|es|pt|it|pl|cz|se|no|dk|fi|ru|ua|tr|gr|jp|cn|hk|tw|kr|sg|in|br|mx|ar|cl|za|ae|il";

// Characters allowed in a URL: no spaces, quotes, angle brackets, and no invisible or bidi characters.
const BODY = "[^\\s<>\"`\\p{C}「」『』【】《》（）、。，！？；：]";
const LABEL = "[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,61}[\\p{L}\\p{N}])?";

const CANDIDATE = new RegExp(
  [
    `(?:https?://|mailto:)${BODY}+`,
    `[\\p{L}\\p{N}._%+-]+@(?:${LABEL}\\.)+\\p{L}{2,24}`,
    `www\\.${BODY}+`,
    `(?:${LABEL}\\.)+(?:${TOP_LEVEL})(?![\\p{L}\\p{N}-])(?:[/?#:]${BODY}*)?`,
  ].join("|"),
  "giu",
);
/** Every link contains one of these. Looking for one is cheap; compiling CANDIDATE takes a tenth of a second on a slow phone. */
const HINT = /:\/\/|mailto:|www\.|@|\.[a-z]{2}/i;
const JOINED_BEFORE = /[\p{L}\p{N}\p{Cf}@/._:%+-]$/u;
const TRAILING = /[.,;:!?'"*_~…’”»]$/u;
const BRACKETS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** Splits a text into plain runs and links: http, https and mailto only. */
export function linkify(text: string): Piece[] {
  if (!HINT.test(text)) return [{ text }];
  const pieces: Piece[] = [];
  let at = 0;
  const pushText = (part: string) => {
    const last = pieces[pieces.length - 1];
    if (part === "") return;
    if (last !== undefined && last.href === undefined) last.text += part;
    else pieces.push({ text: part });
  };
  for (const match of text.matchAll(CANDIDATE)) {
    if (match.index < at) continue;
    const shown = withoutTrailing(match[0]);
    const joined = JOINED_BEFORE.test(text.slice(Math.max(0, match.index - 2), match.index)) && !/^(?:https?:|mailto:)/i.test(shown);
    const link = joined ? null : linkOf(shown);
    if (link === null) continue;
    pushText(text.slice(at, match.index));
    pieces.push(link);
    at = match.index + shown.length;
  }
  pushText(text.slice(at));
  return pieces;
}

/** Strips punctuation that belongs to the sentence, and closing brackets that were opened outside the link. */
function withoutTrailing(candidate: string): string {
  const count = (mark: string) => candidate.split(mark).length;
  const surplus: Record<string, number> = {};
  for (const closer in BRACKETS) surplus[closer] = count(closer) - count(BRACKETS[closer]!);
  // Counted once, so that a text of brackets alone does not take quadratic time.
  for (let end = candidate.length; ; end -= 1) {
    const last = candidate.charAt(end - 1);
    const closes = surplus[last]! > 0;
    if (!closes && !TRAILING.test(last)) return candidate.slice(0, end);
    if (closes) surplus[last]! -= 1;
  }
}

function linkOf(shown: string): Piece | null {
  if (/^mailto:/i.test(shown)) return mailLink(shown.slice(7), shown);
  if (/^https?:\/\//i.test(shown)) return webLink(shown, shown);
  if (/^[^/?#]*@/.test(shown)) return mailLink(shown, shown);
  return webLink(`https://${shown}`, shown);
}

function mailLink(address: string, shown: string): Piece | null {
  const [, who, host] = /^([^\s@?&#:/]+)@([^\s@?&#:/]+\.[^\s@?&#:/.]{2,})(?:\?|$)/u.exec(address) ?? [];
  return who === undefined || host === undefined ? null : { text: shown, href: `mailto:${encodeURIComponent(who)}@${host}` };
}

function webLink(address: string, shown: string): Piece | null {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return null;
  }
  // User info before the host serves only to be mistaken for the host.
  if (url.username !== "" || url.password !== "") return null;
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  if (!url.hostname.includes(".") && url.hostname !== "localhost" && !url.hostname.startsWith("[")) return null;
  const host = /^(?:https?:\/\/)?([^/?#:]+)/i.exec(shown)?.[1] ?? "";
  const text = isSafeToDisplay(host.normalize("NFC")) ? shown : shown.replace(host, url.hostname);
  return { text, href: url.href };
}
