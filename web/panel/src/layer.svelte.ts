import { adopt } from "@ocs/ui/adopt.ts";
import { EmojiPlace } from "@ocs/ui/composer/emoji_place.svelte.ts";
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
  readonly emoji: EmojiPlace;
  #close: (() => void) | null = null;

  constructor(private readonly chat: Chat) {
    this.emoji = new EmojiPlace(chat.language.words, this.#adopt, {
      read: () => chat.record.kept.recent_emoji ?? [],
      keep: (recent_emoji) => chat.record.keep({ recent_emoji }),
    });
  }

  async enlarge(shown: Shown): Promise<void> {
    this.close();
    const { chat } = this;
    const focused = chat.host.root.activeElement as HTMLElement | null;
    const chunk = await import("./lightbox/lightbox.ts").catch(() => null);
    if (chunk === null || chat.enlarged !== shown) return void (chat.enlarged = null);
    const hide = chunk.showLightbox({ place: chat.host.frame, chat, adopt: this.#adopt, close: () => void this.close() }, shown);
    this.#close = () => {
      hide();
      chat.enlarged = null;
      focused?.focus();
    };
  }

  /** true where something was open. */
  close(): boolean {
    const close = this.#close;
    this.#close = null;
    close?.();
    return this.emoji.close() || close !== null;
  }

  readonly #adopt = (css: string) => adopt(this.chat.host.root, css);
}
