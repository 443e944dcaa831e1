import type { Ocs } from "@ocs/launcher/host";
import en from "./en.ts";
import type { Words } from "./words.ts";

export type Language = {
  /** The locale of the site or the page, e.g. "fr-CA" or "ar". The server chooses the greeting by it. */
  locale: string;
  /** The language of the panel's texts, e.g. "fr-CA", or "en" on an Arabic page: for screen readers and number formats. */
  spoken: string;
  /** The locale for dates and times, which follow the browser's settings: 13:05 or 1:05 PM. */
  times: string;
  words: Words;
  /** The text direction of the empty field, as on the page. The panel's own texts are all left-to-right. */
  direction: "ltr" | "rtl";
};

const PACKS: Record<string, () => Promise<{ default: Words }>> = {
  zh: () => import("./lang-zh-CN.ts"),
  es: () => import("./lang-es.ts"),
  fr: () => import("./lang-fr.ts"),
  ja: () => import("./lang-ja.ts"),
};

/** Chooses the locale: from the site's option, else the page's lang, else the browser. */
export async function chooseLanguage(ocs: Ocs): Promise<Language> {
  const page = document.documentElement;
  const locale = wellFormed(ocs.locale) ?? wellFormed(page.lang) ?? wellFormed(navigator.language) ?? "en";
  const main = locale.slice(0, 2).toLowerCase();
  // If a language pack fails to load, the chat works in English.
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
