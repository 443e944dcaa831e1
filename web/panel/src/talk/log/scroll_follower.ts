const NEAR_END_PX = 48;

export type ScrollAnchor = { atEnd: boolean; restore(): void };

/** Keeps the scroll position: the end while the reader is at the end, otherwise the message at the top. */
export class ScrollFollower {
  atEnd = true;
  readonly #sizes: ResizeObserver;

  constructor(private readonly log: HTMLElement, private readonly scrolled: () => void) {
    log.addEventListener("scroll", this.#look, { passive: true });
    // When the composer grows, the keyboard opens or an image gets its size, a reader at the end stays there.
    this.#sizes = new ResizeObserver(() => {
      if (this.atEnd) this.toEnd();
    });
    this.#sizes.observe(log);
  }

  /** Call it before the list changes; `restore` then keeps the position when pages are inserted above or rows grow. */
  hold(): ScrollAnchor {
    const { log, atEnd } = this;
    // At the end nothing needs measuring, which would force a layout before the change.
    if (atEnd) return { atEnd, restore: () => this.toEnd() };
    const edge = log.getBoundingClientRect().top;
    const row = [...log.querySelectorAll<HTMLElement>("[data-key]")].find((element) => element.getBoundingClientRect().bottom > edge);
    const top = row?.getBoundingClientRect().top ?? 0;
    const hold: ScrollAnchor = {
      atEnd,
      restore: () => {
        if (hold.atEnd) this.toEnd();
        else if (row?.isConnected) log.scrollTop += row.getBoundingClientRect().top - top;
      },
    };
    return hold;
  }

  toEnd(smooth = false): void {
    const glides = smooth && !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.log.scroll({ top: this.log.scrollHeight, behavior: glides ? "smooth" : "instant" });
    this.atEnd = true;
  }

  stop(): void {
    this.log.removeEventListener("scroll", this.#look);
    this.#sizes.disconnect();
  }

  readonly #look = () => {
    const { scrollHeight, scrollTop, clientHeight } = this.log;
    this.atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    this.scrolled();
  };
}
