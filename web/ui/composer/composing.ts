import type { Tray, TrayWords } from "./tray.svelte.ts";

export type ComposerWords = TrayWords & {
  send: string;
  attach: string;
  emoji: string;
  remove: string;
  left: (count: number) => string;
  tooLong: (count: number) => string;
};

/** What somebody writes into: the visitor's chat, or a conversation of the console. */
export type Composing = {
  /** `spoken`: the language of the words. `direction` is that of the empty field; what is written says it by itself. */
  readonly language: { words: ComposerWords; spoken: string; direction: "ltr" | "rtl" | "auto" };
  /** Stands in the empty field and names it. */
  readonly placeholder: string;
  readonly draft: string;
  readonly tray: Tray;
  typed(text: string, caret?: number): void;
  /** The caret moved in an unchanged draft. */
  moved(caret: number): void;
  addPictures(files: readonly File[]): void;
  removePicture(id: string): void;
  /** Sends the text, then what is in the tray. */
  send(text: string): void;
};
