import type { Chat } from "../../chat.svelte.ts";
import type { Shown } from "../shown.ts";

const LOOKED_AT_MS = 500;

/** Says "read" only of what a person could read: chat open, tab in front, half of it in view for half a second. */
export class Reading {
  readonly #observer: IntersectionObserver;
  readonly #unread = new Map<Element, Shown>();
  readonly #visible = new Map<Element, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: HTMLElement, private readonly chat: Chat) {
    this.#observer = new IntersectionObserver((entries) => this.#saw(entries), { root: log, threshold: [0, 0.5] });
    document.addEventListener("visibilitychange", this.again);
  }

  /** What was read before is not watched: a browser looks at everything that is, with each frame. */
  watch(element: Element, message: Shown): void {
    if (!message.unread) return;
    this.#unread.set(element, message);
    this.#observer.observe(element);
  }

  unwatch(element: Element): void {
    this.#observer.unobserve(element);
    this.#unread.delete(element);
    this.#visible.delete(element);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    document.removeEventListener("visibilitychange", this.again);
  }

  #saw(entries: IntersectionObserverEntry[]): void {
    for (const { target, intersectionRatio, intersectionRect, rootBounds } of entries) {
      // Something taller than the list is in view once it fills half of it.
      const fills = intersectionRect.height >= (rootBounds?.height ?? Infinity) / 2;
      if (intersectionRatio >= 0.5 || fills) this.#visible.set(target, this.#visible.get(target) ?? Date.now());
      else this.#visible.delete(target);
    }
    this.#schedule();
  }

  /** The chat or its tab came into view: what is in view counts from now on. */
  readonly again = () => {
    for (const element of this.#visible.keys()) this.#visible.set(element, Date.now());
    this.#schedule();
  };

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#visible.size > 0) this.#timer = setTimeout(() => this.#mark(), LOOKED_AT_MS);
  }

  #mark(): void {
    if (!this.chat.watching) return;
    const now = Date.now();
    for (const [element, since] of this.#visible) {
      const message = this.#unread.get(element);
      if (message === undefined || now - since < LOOKED_AT_MS) continue;
      this.#readUpTo(message);
      this.chat.with((talk) => talk.seen(message));
    }
    this.#schedule();
  }

  /** Also what went by too quickly: no one comes back to it. */
  #readUpTo({ conversation, seq }: Shown): void {
    for (const [element, message] of this.#unread) if (message.conversation === conversation && message.seq <= seq) this.unwatch(element);
  }
}
