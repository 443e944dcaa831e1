import type { Ocs } from "@ocs/launcher/host";
import en from "./en.ts";
import type { Words } from "./words.ts";

export type Language = {
  /** As the site or the page has it, e.g. "fr-CA" or "ar": for the server, which chooses its greeting by it. */
  locale: string;
  /** What the panel speaks, e.g. "fr-CA", or "en" on an Arabic page: for readers aloud, and for numbers. */
  spoken: string;
  /** For dates and times of day, which people read as their browser is set: 13:05 or 1:05 PM. */
  times: string;
  words: Words;
  /** Where the visitor begins to write, as on the page. All that the panel itself says is written from the left. */
  direction: "ltr" | "rtl";
};

const PACKS: Record<string, () => Promise<{ default: Words }>> = {
  zh: () => import("./lang-zh-CN.ts"),
  es: () => import("./lang-es.ts"),
  fr: () => import("./lang-fr.ts"),
  ja: () => import("./lang-ja.ts"),
};

/** The site's word first, then the page's, then the browser's. */
export async function chooseLanguage(ocs: Ocs): Promise<Language> {
  const page = document.documentElement;
  const locale = wellFormed(ocs.locale) ?? wellFormed(page.lang) ?? wellFormed(navigator.language) ?? "en";
  const main = locale.slice(0, 2).toLowerCase();
  // A pack that does not come is no reason to have no chat.
  const words = main === "en" ? en : await PACKS[main]?.().then((pack) => pack.default).catch(() => undefined);
  const spoken = words ? locale : "en";
  const times = navigator.languages.find((tag) => tag.slice(0, 2) === spoken.slice(0, 2)) ?? spoken;
  return { locale, spoken, times, words: words ?? en, direction: getComputedStyle(page).direction as "ltr" | "rtl" };
}

function wellFormed(tag: string | undefined): string | undefined {
  try {
    return tag ? Intl.getCanonicalLocales(tag.replace("_", "-"))[0] : undefined;
  } catch {
    return undefined;
  }
}
