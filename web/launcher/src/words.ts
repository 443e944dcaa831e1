/** Open · could not load · the way out · unread. The panel brings the rest. */
const WORDS: Record<string, [string, string, string, string]> = {
  en: ["Chat", "Chat could not load.", "Open it in a new page", "unread"],
  zh: ["在线咨询", "聊天无法加载。", "在新页面打开", "条未读"],
  es: ["Chat", "No se pudo cargar el chat.", "Abrirlo en otra página", "sin leer"],
  fr: ["Chat", "Le chat n’a pas pu se charger.", "L’ouvrir dans une autre page", "non lus"],
  ja: ["チャット", "チャットを読み込めません。", "別のページで開く", "件の未読"],
};

export const wordsFor = (locale: string) => WORDS[locale.slice(0, 2)] || WORDS.en!;
