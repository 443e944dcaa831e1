import type { Chat } from "./chat.svelte.ts";
import type { Shown } from "./talk/shown.ts";

/** Ends what was put on the layer and gives the focus back. */
type Close = () => void;

/** The place above the chat for one thing at a time. What goes there is fetched when first asked for. */
export class Layer {
  place = $state.raw<HTMLElement>();
  emoji = $state.raw(false);
  #close: Close | null = null;

  constructor(private readonly chat: Chat) {}

  async chooseEmoji(insert: (emoji: string) => void, giveFocus: () => void): Promise<void> {
    if (this.close()) return;
    this.emoji = true;
    const { showEmojiGrid } = await import("./emoji/emoji.ts").catch(() => ({ showEmojiGrid: null }));
    if (!this.emoji || showEmojiGrid === null || this.place === undefined) return;
    const hide = showEmojiGrid(this.place, { chat: this.chat, insert, close: () => this.close() });
    this.#close = () => {
      hide();
      giveFocus();
    };
  }

  async enlarge(shown: Shown): Promise<void> {
    this.close();
    const focused = this.chat.host.root.activeElement as HTMLElement | null;
    const { showLightbox } = await import("./lightbox/lightbox.ts").catch(() => ({ showLightbox: null }));
    if (showLightbox === null || this.place === undefined) return void (this.chat.enlarged = null);
    const hide = showLightbox(this.chat.host.frame, { chat: this.chat, shown, close: () => this.close() });
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
}
