import type { Record } from "../../record.ts";
import { chime, mayChime } from "./sound.ts";
import { TitleCount } from "./title_count.ts";

const OTHERS_ANSWER_WITHIN_MS = 150;
/** The leading tab goes first; another sounds where that one may not. */
const LEADER_SOUNDS_WITHIN_MS = 350;

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

  /** A message came in. One tab sounds, unless someone reads in another. */
  message(key: string, leading: boolean): void {
    if (this.watching()) return this.tellTabs({ watching: true });
    if (this.record.kept.muted || !mayChime()) return;
    clearTimeout(this.#timer);
    // Without locks every tab leads: chance decides who is first.
    const turn = leading && "locks" in navigator ? 0 : (leading ? 0 : LEADER_SOUNDS_WITHIN_MS) + Math.random() * LEADER_SOUNDS_WITHIN_MS;
    this.#timer = setTimeout(() => {
      if (this.record.kept.rang === key) return;
      this.record.keep({ rang: key });
      chime();
    }, OTHERS_ANSWER_WITHIN_MS + turn);
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
