import { adopt } from "./adopt.ts";
import type { Chat } from "./chat.svelte.ts";
import type { Shown } from "./talk/shown.ts";

/** What a thing above the chat is given. It is handed everything, so that its file imports nothing of the panel. */
export type Overlay = {
  place: HTMLElement;
  chat: Chat;
  adopt: (css: string) => () => void;
  close: () => void;
};

/** The place above the chat for one thing at a time. What goes there is fetched when first asked for. */
export class Layer {
  place = $state.raw<HTMLElement>();
  emoji = $state.raw(false);
  #close: (() => void) | null = null;

  constructor(private readonly chat: Chat) {}

  async chooseEmoji(insert: (emoji: string) => void, giveFocus: () => void): Promise<void> {
    if (this.close()) return;
    this.emoji = true;
    const chunk = await import("./emoji/emoji.ts").catch(() => null);
    if (!this.emoji || this.place === undefined) return;
    if (chunk === null) return void (this.emoji = false);
    const hide = chunk.showEmojiGrid(this.#overlay(this.place), insert);
    this.#close = () => {
      hide();
      giveFocus();
    };
  }

  async enlarge(shown: Shown): Promise<void> {
    this.close();
    const focused = this.chat.host.root.activeElement as HTMLElement | null;
    const chunk = await import("./lightbox/lightbox.ts").catch(() => null);
    if (chunk === null || this.chat.enlarged !== shown) return void (this.chat.enlarged = null);
    const hide = chunk.showLightbox(this.#overlay(this.chat.host.frame), shown);
    this.#close = () => {
      hide();
      this.chat.enlarged = null;
      focused?.focus();
    };
  }

  /** true where something was open. */
  close(): boolean {
    const close = this.#close;
    this.#close = null;
    const was = this.emoji || close !== null;
    this.emoji = false;
    close?.();
    return was;
  }

  #overlay(place: HTMLElement): Overlay {
    return { place, chat: this.chat, adopt: (css) => adopt(this.chat.host.root, css), close: () => void this.close() };
  }
}
