import type { EmojiParts } from "../emoji/emoji.ts";

/** Opens and closes the emoji grid inside `element`. The grid's code is loaded when first opened. */
export class EmojiPicker {
  element = $state.raw<HTMLElement>();
  open = $state.raw(false);
  #hide: (() => void) | null = null;

  constructor(
    private readonly words: EmojiParts["words"],
    private readonly adopt: EmojiParts["adopt"],
    /** Stores the recently chosen emoji. */
    private readonly recent: { read(): readonly string[]; keep(recent: string[]): void },
  ) {}

  /** Opens the grid, or closes it if it is open. `insert` receives the chosen emoji; `giveFocus` is called when the grid closes. */
  async choose(insert: (emoji: string) => void, touched: boolean, giveFocus: () => void): Promise<void> {
    if (this.close()) return;
    this.open = true;
    const chunk = await import("../emoji/emoji.ts").catch(() => null);
    const { element: place, words, adopt, recent } = this;
    if (!this.open || place === undefined) return;
    if (chunk === null) return void (this.open = false);
    const hide = chunk.showEmojiGrid({
      place,
      words,
      recent: recent.read(),
      touched,
      adopt,
      onchoose: (emoji, chosen) => {
        recent.keep(chosen);
        this.close();
        insert(emoji);
      },
    });
    this.#hide = () => {
      hide();
      giveFocus();
    };
  }

  /** Returns true if it was open. */
  close(): boolean {
    const hide = this.#hide;
    const was = this.open;
    this.#hide = null;
    this.open = false;
    hide?.();
    return was;
  }
}
