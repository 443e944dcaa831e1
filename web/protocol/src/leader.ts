/** What one tab tells the others of the same browser and visitor. */
export type Post<E, S, H> =
  | { to: "all"; event: E; cursor: string }
  | { to: "all"; signal: S }
  | { to: "all"; state: string }
  | { to: "all"; resync: true }
  | { to: "leader"; hint: H }
  | { to: "leader"; ask: true }
  | { to: "leader"; nudge: true }
  | { to: "all"; local: unknown };

/** Posts go out in lists. A tab of an earlier version does not know them: it keeps a line of its own. */
const FORMAT = 2;

/** `beforeunload` comes before downloads, and before dialogs that keep the visitor on the page: a page that is still there after this time takes part again. */
const RETURNS_AFTER_MS = 3_000;

export type LeaderParts = {
  locks: LockManager | undefined;
  channel: ((name: string) => BroadcastChannel) | undefined;
  /** Dispatches `leaves` and pageshow: a page in the back/forward cache holds neither the lock nor the channel. */
  page?: EventTarget;
  /** The event after which the browser looks whether the page can be cached. */
  leaves?: "pagehide" | "beforeunload";
};

export type LeaderEvents<E, S, H> = {
  /** This tab holds the socket from now on. */
  lead(): void;
  /** It no longer does. */
  yieldLead(): void;
  /** Back by the back button: what was said meanwhile was not heard. */
  missed(): void;
  post(post: Post<E, S, H>): void;
};

/**
 * One socket per browser: tabs queue for a lock, the holder connects and tells the others by channel.
 * Without Web Locks (plain http) or channels every tab leads itself.
 */
export class Leader<E, S, H> {
  leading = false;
  /** Set while the page is left. */
  #back: ReturnType<typeof setTimeout> | undefined;
  #release: (() => void) | null = null;
  #queued: AbortController | null = null;
  #channel: BroadcastChannel | null = null;
  #posts: Post<E, S, H>[] = [];
  readonly #name: string;

  constructor(
    name: string,
    private readonly parts: LeaderParts,
    private readonly events: LeaderEvents<E, S, H>,
  ) {
    this.#name = `${name}:${FORMAT}`;
  }

  start(): void {
    this.#listen("addEventListener");
    this.#join();
  }

  stop(): void {
    this.#listen("removeEventListener");
    clearTimeout(this.#back);
    this.#leave();
  }

  #listen(what: "addEventListener" | "removeEventListener"): void {
    const { page, leaves = "pagehide" } = this.parts;
    page?.[what](leaves, this.#left);
    page?.[what]("pageshow", this.#show);
  }

  /** What one turn of the page has to say goes out as one: to post costs more than to make the news. */
  tell(post: Post<E, S, H>): void {
    if (this.#posts.push(post) === 1) queueMicrotask(() => this.#send());
  }

  #send(): void {
    if (this.#posts.length > 0) this.#channel?.postMessage(this.#posts);
    this.#posts = [];
  }

  readonly #left = () => {
    this.#leave();
    clearTimeout(this.#back);
    this.#back = setTimeout(this.#show, RETURNS_AFTER_MS);
  };

  readonly #show = () => {
    if (this.#back === undefined) return;
    clearTimeout(this.#back);
    this.#back = undefined;
    this.events.missed();
    this.#join();
  };

  #join(): void {
    const { locks, channel } = this.parts;
    if (locks === undefined || channel === undefined) return this.#lead();
    this.#channel = channel(this.#name);
    this.#channel.onmessage = ({ data }) => {
      for (const post of data as Post<E, S, H>[]) if (post.to === "all" || this.leading) this.events.post(post);
    };
    const queued = (this.#queued = new AbortController());
    locks
      .request(this.#name, { signal: queued.signal }, () => {
        if (queued.signal.aborted) return;
        this.#lead();
        return new Promise<void>((resolve) => (this.#release = resolve));
      })
      .catch((error: unknown) => {
        // Locks exist but are refused (an opaque origin): lead alone.
        if (!queued.signal.aborted && !this.leading && error !== undefined) this.#lead();
      });
  }

  #lead(): void {
    this.leading = true;
    this.events.lead();
  }

  readonly #leave = () => {
    this.#queued?.abort();
    this.#queued = null;
    this.#release?.();
    this.#release = null;
    if (this.leading) {
      this.leading = false;
      this.events.yieldLead();
    }
    this.#send();
    // A browser lets a kept page go as soon as another tab says something into its open channel.
    this.#channel?.close();
    this.#channel = null;
  };
}
