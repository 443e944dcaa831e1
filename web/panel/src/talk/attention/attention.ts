import type { Record } from "../../record.ts";
import { chime } from "./sound.ts";
import { TitleCount } from "./title_count.ts";

const OTHERS_ANSWER_WITHIN_MS = 150;

/** Draws the eye when nobody is looking: a sound in one tab, a count in the title. */
export class Attention {
  readonly #title = new TitleCount();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unread = 0;

  constructor(
    private readonly record: Record,
    /** Is the chat on the screen of this tab? */
    private readonly watching: () => boolean,
    private readonly tellTabs: (said: unknown) => void,
  ) {
    document.addEventListener("visibilitychange", this.#look);
  }

  /** A message came in. The leading tab sounds, unless someone reads in another. */
  message(leading: boolean): void {
    if (this.watching()) return this.tellTabs({ watching: true });
    if (!leading || this.record.kept.muted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(chime, OTHERS_ANSWER_WITHIN_MS);
  }

  someoneWatches(): void {
    clearTimeout(this.#timer);
  }

  unread(count: number): void {
    this.#unread = count;
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.#look);
    this.#title.restore();
  }

  readonly #look = () => this.#title.show(document.hidden ? this.#unread : 0);
}
