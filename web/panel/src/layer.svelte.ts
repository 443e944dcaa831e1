import { adopt } from "@ocs/ui/adopt.ts";
import { EmojiPicker } from "@ocs/ui/composer/emoji_picker.svelte.ts";
import type { Chat } from "./chat.svelte.ts";
import type { DisplayedMessage } from "./talk/displayed_message.ts";

/** Passed to an overlay, so that its chunk imports nothing from the panel. */
export type Overlay = {
  place: HTMLElement;
  chat: Chat;
  adopt: (css: string) => () => void;
  close: () => void;
};

/** Shows one overlay at a time above the chat. Its code is loaded on first use. */
export class Layer {
  readonly emoji: EmojiPicker;
  #close: (() => void) | null = null;

  constructor(private readonly chat: Chat) {
    this.emoji = new EmojiPicker(chat.language.words, this.#adopt, {
      read: () => chat.store.data.recent_emoji ?? [],
      keep: (recent_emoji) => chat.store.save({ recent_emoji }),
    });
  }

  async enlarge(shown: DisplayedMessage): Promise<void> {
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

  /** Closes the overlay. Returns true if one was open. */
  close(): boolean {
    const close = this.#close;
    this.#close = null;
    close?.();
    return this.emoji.close() || close !== null;
  }

  readonly #adopt = (css: string) => adopt(this.chat.host.root, css);
}
