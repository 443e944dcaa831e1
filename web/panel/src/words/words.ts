import type { ErrorCode } from "@ocs/protocol";

/** Everything the panel says. A pack is one module per language. */
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
  /** Said after the launcher's name. */
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
  /** Said where it cannot connect for long, with the way out behind it. */
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

/** The form of the language for a count: `one`, `few`, `other` … */
export function counted(locale: string, forms: Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }): (count: number) => string {
  const rules = new Intl.PluralRules(locale);
  const number = new Intl.NumberFormat(locale);
  return (count) => (forms[rules.select(count)] ?? forms.other).replace("#", number.format(count));
}
