import type { ErrorCode } from "@ocs/protocol";

/** All texts of the panel. Each language has one module. */
export type Words = {
  greeting: string;
  online: string;
  away: string;
  close: string;
  minimise: string;
  soundOn: string;
  soundOff: string;
  history: string;
  placeholder: string;
  send: string;
  attach: string;
  emoji: string;
  dropHere: string;
  remove: string;
  you: string;
  /** Appended to the launcher's accessible name. */
  unread: (count: number) => string;
  agent: string;
  newest: (count: number) => string;
  older: string;
  typing: (name: string) => string;
  says: (name: string, text: string) => string;
  picture: string;
  pictureFrom: (name: string) => string;
  openPicture: string;
  closePicture: string;
  pause: string;
  play: string;
  queued: string;
  sending: string;
  sent: string;
  delivered: string;
  read: string;
  failed: string;
  retry: string;
  delete: string;
  cancel: string;
  connecting: string;
  /** Shown when connecting takes long, followed by the link `wayOut`. */
  stuck: string;
  wayOut: string;
  offline: string;
  volatile: string;
  held: (seconds: number) => string;
  left: (count: number) => string;
  tooLong: (count: number) => string;
  tooManyPictures: (count: number) => string;
  unidentified: string;
  unidentifiedHelp: string;
  reload: string;
  unavailable: string;
  paused: string;
  failures: Partial<Record<ErrorCode, string>>;
  emojiSearch: string;
  emojiNone: string;
  emojiRecent: string;
  emojiTone: string;
};

/** Returns a function that picks the plural form for a count (`one`, `few`, `other` …) and inserts the number. */
export function counted(locale: string, forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }): (count: number) => string {
  const rules = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  return (count) => (forms[rules.select(count)] ?? forms.other).replace("#", number.format(count));
}
