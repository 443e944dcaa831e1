import { hostIsPlain } from "./script_mix.ts";

/** A stretch of plain text, or a link with the text to show for it. Becomes nodes; never markup. */
export type Piece = { text: string; href?: string };

const TOP_LEVEL =
  "com|org|net|edu|gov|info|biz|dev|app|shop|store|online|site|xyz|io|co|ai|me|tv|eu|us|uk|ca|au|nz|ie|de|at|ch|fr|be|nl|lu|es|pt|it|pl|cz|se|no|dk|fi|ru|ua|tr|gr|jp|cn|hk|tw|kr|sg|in|br|mx|ar|cl|za|ae|il";

// What may stand in an address: no spaces, quotes, angle brackets, and no invisible or bidi characters.
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
/** Nothing is a link without one of these. To look for one costs nothing; to get CANDIDATE ready, a tenth of a second on a slow phone. */
const HINT = /:\/\/|mailto:|www\.|@|\.[a-z]{2}/i;
const JOINED_BEFORE = /[\p{L}\p{N}\p{Cf}@/._:%+-]$/u;
const TRAILING = /[.,;:!?'"*_~…’”»]$/u;
const BRACKETS: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

export function linkify(text: string): Piece[] {
  if (!HINT.test(text)) return [{ text }];
  const pieces: Piece[] = [];
  let at = 0;
  const say = (part: string) => {
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
    say(text.slice(at, match.index));
    pieces.push(link);
    at = match.index + shown.length;
  }
  say(text.slice(at));
  return pieces;
}

/** The full stop belongs to the sentence, the bracket to whoever opened it. */
function withoutTrailing(candidate: string): string {
  const count = (mark: string) => candidate.split(mark).length;
  const surplus: Record<string, number> = {};
  for (const closer in BRACKETS) surplus[closer] = count(closer) - count(BRACKETS[closer]!);
  // Counted once: a text of brackets alone must not take its length times its length.
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
  // A name before the host exists only to be mistaken for the host.
  if (url.username !== "" || url.password !== "") return null;
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  if (!url.hostname.includes(".") && url.hostname !== "localhost" && !url.hostname.startsWith("[")) return null;
  const host = /^(?:https?:\/\/)?([^/?#:]+)/i.exec(shown)?.[1] ?? "";
  const text = hostIsPlain(host.normalize("NFC")) ? shown : shown.replace(host, url.hostname);
  return { text, href: url.href };
}
