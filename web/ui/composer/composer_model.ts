import type { Tray, TrayWords } from "./tray.svelte.ts";

export type ComposerWords = TrayWords & {
  send: string;
  attach: string;
  emoji: string;
  remove: string;
  left: (count: number) => string;
  tooLong: (count: number) => string;
};

/** The state and actions behind a composer: the visitor's chat, or a conversation in the console. */
export type ComposerModel = {
  /** `spoken`: the BCP 47 tag of the words. `direction`: the text direction of the empty field; typed text sets its own. */
  readonly language: { words: ComposerWords; spoken: string; direction: "ltr" | "rtl" | "auto" };
  /** Placeholder and accessible name of the field. */
  readonly placeholder: string;
  readonly draft: string;
  readonly tray: Tray;
  setDraft(text: string, caret?: number): void;
  /** The caret moved without a change of the draft. */
  moveCaret(caret: number): void;
  addPictures(files: readonly File[]): void;
  removePicture(id: string): void;
  /** Sends the text, then the images in the tray. */
  send(text: string): void;
};
