import type { EmojiParts } from "../emoji/emoji.ts";

/** Where the emoji grid is shown. The grid is fetched when it is first asked for. */
export class EmojiPlace {
  element = $state.raw<HTMLElement>();
  open = $state.raw(false);
  #hide: (() => void) | null = null;

  constructor(
    private readonly words: EmojiParts["words"],
    private readonly adopt: EmojiParts["adopt"],
    /** The emoji that were chosen last. */
    private readonly recent: { read(): readonly string[]; keep(recent: string[]): void },
  ) {}

  /** `insert` is told the emoji, `giveFocus` that the choice is over. Asked for again, it closes. */
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

  /** true where it was open. */
  close(): boolean {
    const hide = this.#hide;
    const was = this.open;
    this.#hide = null;
    this.open = false;
    hide?.();
    return was;
  }
}
