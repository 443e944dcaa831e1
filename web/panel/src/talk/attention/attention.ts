import type { Chat } from "../../chat.svelte.ts";
import { TitleCount } from "./title_count.ts";

const OTHER_TABS_REPLY_MS = 150;
/** The leading tab plays the sound first; another does if that one may not. */
const LEADER_HEAD_START_MS = 350;

/** Silent until the visitor has interacted with the page, as browsers and good manners require. */
const canPlaySound = (): boolean => navigator.userActivation?.hasBeenActive ?? true;

/** Alerts a visitor who is not looking: a sound in one tab, a count in the title and on the launcher. */
export class Attention {
  readonly #title = new TitleCount();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unread = 0;
  /** The count last shown on the launcher, emitted to the page and stored for the next page. */
  #shownCount: number | undefined;

  constructor(
    private readonly chat: Chat,
    private readonly postToTabs: (message: { watching: true }) => void,
  ) {
    document.addEventListener("visibilitychange", this.look);
  }

  /** Handles a received message. One tab plays a sound, unless somebody is watching the chat in another. */
  message(key: string, leading: boolean): void {
    const { store } = this.chat;
    if (this.chat.watching) return this.postToTabs({ watching: true });
    if (store.data.muted || !canPlaySound()) return;
    clearTimeout(this.#timer);
    // Without Web Locks every tab leads, so a random delay decides which is first.
    const delay = leading && "locks" in navigator ? 0 : (leading ? 0 : LEADER_HEAD_START_MS) + Math.random() * LEADER_HEAD_START_MS;
    this.#timer = setTimeout(() => {
      if (store.data.rang === key) return;
      store.save({ rang: key });
      void import("./sound.ts").then(({ playSound }) => playSound(), () => {});
    }, OTHER_TABS_REPLY_MS + delay);
  }

  cancelSound(): void {
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

  /** Updates the counts. A message that appears in view is read in a moment, so the count does not go up and down for it. */
  readonly look = () => {
    const { watching, host, store } = this.chat;
    const unread = this.#unread;
    this.#title.show(document.hidden ? unread : 0);
    if (unread === this.#shownCount || (watching && unread > (this.#shownCount ?? 0))) return;
    this.#shownCount = unread;
    this.chat.badge(unread);
    host.emit("unread", unread);
    store.save({ unread: unread || undefined });
  };
}
