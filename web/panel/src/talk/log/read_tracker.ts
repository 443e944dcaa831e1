import type { Chat } from "../../chat.svelte.ts";
import type { DisplayedMessage } from "../displayed_message.ts";

const READ_AFTER_MS = 500;

/** Marks messages as read that a person could have read: chat open, tab visible, half of the message in view for half a second. */
export class ReadTracker {
  readonly #observer: IntersectionObserver;
  readonly #unread = new Map<Element, DisplayedMessage>();
  readonly #visible = new Map<Element, number>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: HTMLElement, private readonly chat: Chat) {
    this.#observer = new IntersectionObserver((entries) => this.#onIntersect(entries), { root: log, threshold: [0, 0.5] });
    document.addEventListener("visibilitychange", this.again);
  }

  /** Observes an unread message. Read ones are not observed, because the browser checks every observed element in each frame. */
  watch(element: Element, message: DisplayedMessage): void {
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

  #onIntersect(entries: IntersectionObserverEntry[]): void {
    for (const { target, intersectionRatio, intersectionRect, rootBounds } of entries) {
      // A message taller than half the list counts as in view once it fills half of it.
      const fills = intersectionRect.height >= (rootBounds?.height ?? Infinity) / 2;
      if (intersectionRatio >= 0.5 || fills) this.#visible.set(target, this.#visible.get(target) ?? Date.now());
      else this.#visible.delete(target);
    }
    this.#schedule();
  }

  /** The chat or its tab became visible: messages in view count from now on. */
  readonly again = () => {
    for (const element of this.#visible.keys()) this.#visible.set(element, Date.now());
    this.#schedule();
  };

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#visible.size > 0) this.#timer = setTimeout(() => this.#mark(), READ_AFTER_MS);
  }

  #mark(): void {
    if (!this.chat.watching) return;
    const now = Date.now();
    for (const [element, since] of this.#visible) {
      const message = this.#unread.get(element);
      if (message === undefined || now - since < READ_AFTER_MS) continue;
      this.#readUpTo(message);
      this.chat.with((talk) => talk.seen(message));
    }
    this.#schedule();
  }

  /** Stops observing earlier messages too, even those that scrolled by quickly: reading a later one covers them. */
  #readUpTo({ conversation, seq }: DisplayedMessage): void {
    for (const [element, message] of this.#unread) if (message.conversation === conversation && message.seq <= seq) this.unwatch(element);
  }
}
