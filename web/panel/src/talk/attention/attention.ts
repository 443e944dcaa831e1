import type { Chat } from "../../chat.svelte.ts";
import { TitleCount } from "./title_count.ts";

const OTHERS_ANSWER_WITHIN_MS = 150;
/** The leading tab goes first; another sounds where that one may not. */
const LEADER_SOUNDS_WITHIN_MS = 350;

/** Silent until the visitor has touched the page: browsers and manners ask for that. */
const mayChime = (): boolean => navigator.userActivation?.hasBeenActive ?? true;

/** Draws the eye when nobody is looking: a sound in one tab, a count in the title and on the button. */
export class Attention {
  readonly #title = new TitleCount();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unread = 0;
  /** What the button, the page and the next page were told. */
  #told: number | undefined;

  constructor(
    private readonly chat: Chat,
    private readonly tellTabs: (said: { watching: true }) => void,
  ) {
    document.addEventListener("visibilitychange", this.look);
  }

  /** A message came in. One tab sounds, unless someone reads in another. */
  message(key: string, leading: boolean): void {
    const { record } = this.chat;
    if (this.chat.watching) return this.tellTabs({ watching: true });
    if (record.kept.muted || !mayChime()) return;
    clearTimeout(this.#timer);
    // Without locks every tab leads: chance decides who is first.
    const turn = leading && "locks" in navigator ? 0 : (leading ? 0 : LEADER_SOUNDS_WITHIN_MS) + Math.random() * LEADER_SOUNDS_WITHIN_MS;
    this.#timer = setTimeout(() => {
      if (record.kept.rang === key) return;
      record.keep({ rang: key });
      void import("./sound.ts").then(({ chime }) => chime(), () => {});
    }, OTHERS_ANSWER_WITHIN_MS + turn);
  }

  someoneWatches(): void {
    clearTimeout(this.#timer);
  }

  unread(count: number): void {
    this.#unread = count;
    this.look();
  }

  stop(): void {
    clearTimeout(this.#timer);
    document.removeEventListener("visibilitychange", this.look);
    this.#title.restore();
  }

  /** What comes before somebody's eyes is read in a moment, and not counted up and down for that. */
  readonly look = () => {
    const { watching, host, record } = this.chat;
    const unread = this.#unread;
    this.#title.show(document.hidden ? unread : 0);
    if (unread === this.#told || (watching && unread > (this.#told ?? 0))) return;
    this.#told = unread;
    this.chat.badge(unread);
    host.emit("unread", unread);
    record.keep({ unread: unread || undefined });
  };
}
