const NEAR_END_PX = 48;

export type Hold = { atEnd: boolean; restore(): void };

/** Keeps the reading spot: the end while one is at the end, otherwise the message that is at the top. */
export class Follow {
  atEnd = true;
  readonly #sizes: ResizeObserver;

  constructor(private readonly log: HTMLElement, private readonly scrolled: () => void) {
    log.addEventListener("scroll", this.#look, { passive: true });
    // The composer grows, the keyboard opens, a picture gets its size: whoever was at the end stays there.
    this.#sizes = new ResizeObserver(() => {
      if (this.atEnd) this.toEnd();
    });
    this.#sizes.observe(log);
  }

  /** Taken before the list changes. Pages put in above, rows that grow: what is read does not move. */
  hold(): Hold {
    const { log, atEnd } = this;
    // Measuring would lay out what is about to change, and the end needs none.
    if (atEnd) return { atEnd, restore: () => this.toEnd() };
    const edge = log.getBoundingClientRect().top;
    const row = [...log.querySelectorAll<HTMLElement>("[data-key]")].find((element) => element.getBoundingClientRect().bottom > edge);
    const top = row?.getBoundingClientRect().top ?? 0;
    const hold: Hold = {
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
