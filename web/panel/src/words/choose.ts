import type { Ocs } from "@ocs/launcher/host";
import en from "./en.ts";
import type { Words } from "./words.ts";

export type Language = {
  /** As the site or the page has it, e.g. "fr-CA": for numbers, and for the server. */
  locale: string;
  /** For dates and times of day, which people read as their browser is set: 13:05 or 1:05 PM. */
  times: string;
  words: Words;
  direction: "ltr" | "rtl";
};

const PACKS: Record<string, () => Promise<{ default: Words }>> = {
  zh: () => import("./lang-zh-CN.ts"),
  es: () => import("./lang-es.ts"),
  fr: () => import("./lang-fr.ts"),
  ja: () => import("./lang-ja.ts"),
};
const RIGHT_TO_LEFT = ["ar", "he", "fa", "ur"];

/** The site's word first, then the page's, then the browser's. */
export async function chooseLanguage(ocs: Ocs): Promise<Language> {
  const page = document.documentElement;
  const locale = wellFormed(ocs.locale) ?? wellFormed(page.lang) ?? wellFormed(navigator.language) ?? "en";
  const main = locale.slice(0, 2).toLowerCase();
  const direction = RIGHT_TO_LEFT.includes(main) || getComputedStyle(page).direction === "rtl" ? "rtl" : "ltr";
  // A pack that does not come is no reason to have no chat.
  const words = await PACKS[main]?.().then((pack) => pack.default).catch(() => en);
  const times = navigator.languages.find((tag) => tag.slice(0, 2) === main) ?? locale;
  return { locale, times, words: words ?? en, direction };
}

function wellFormed(tag: string | undefined): string | undefined {
  try {
    return tag ? Intl.getCanonicalLocales(tag.replace("_", "-"))[0] : undefined;
  } catch {
    return undefined;
  }
}
