/** Texts: open, could not load, link to the full page. The panel has the others. */
const WORDS: Record<string, [string, string, string]> = {
  en: ["Chat", "Chat could not load.", "Open it in a new page"],
  zh: ["在线咨询", "聊天无法加载。", "在新页面打开"],
  es: ["Chat", "No se pudo cargar el chat.", "Abrirlo en otra página"],
  fr: ["Chat", "Le chat n’a pas pu se charger.", "L’ouvrir dans une autre page"],
  ja: ["チャット", "チャットを読み込めません。", "別のページで開く"],
};

/** Returns the language tag and its texts; English if the requested language is not available. */
export const wordsFor = (locale: string) => {
  const wanted = locale.slice(0, 2).toLowerCase();
  const language = WORDS[wanted] ? wanted : "en";
  return [language, ...WORDS[language]!] as const;
};
