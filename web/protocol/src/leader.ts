/** A message between the tabs of one browser and visitor. */
export type TabMessage<E, S, H> =
  | { to: "all"; event: E; cursor: string }
  | { to: "all"; signal: S }
  | { to: "all"; state: string }
  | { to: "all"; resync: true }
  | { to: "leader"; hint: H }
  | { to: "leader"; ask: true }
  | { to: "leader"; nudge: true }
  | { to: "all"; local: unknown };

/** Version of the message format: lists of messages. A tab of an earlier version uses another channel and connects by itself. */
const FORMAT = 2;

/** `beforeunload` also precedes downloads and dialogs that keep the visitor on the page: a page that still exists after this time joins again. */
const RETURNS_AFTER_MS = 3_000;

export type LeaderOptions = {
  locks: LockManager | undefined;
  channel: ((name: string) => BroadcastChannel) | undefined;
  /** Dispatches `leaves` and pageshow: a page in the back/forward cache holds neither the lock nor the channel. */
  page?: EventTarget;
  /** The event after which the browser checks whether the page can be cached. */
  leaves?: "pagehide" | "beforeunload";
};

export type LeaderEvents<E, S, H> = {
  /** This tab is now the leader and opens the connection. */
  onLead(): void;
  /** This tab is no longer the leader. */
  onYield(): void;
  /** The page is back from the back/forward cache: it missed all messages meanwhile. */
  onMissed(): void;
  message(message: TabMessage<E, S, H>): void;
};

/**
 * Leader election between the tabs of a browser, for one shared connection: tabs queue for a Web Lock, and its holder connects
 * and broadcasts to the others. Without Web Locks (plain http) or BroadcastChannel every tab is its own leader.
 */
export class Leader<E, S, H> {
  leading = false;
  /** Set while the page is being left. */
  #returnTimer: ReturnType<typeof setTimeout> | undefined;
  #releaseLock: (() => void) | null = null;
  #queued: AbortController | null = null;
  #channel: BroadcastChannel | null = null;
  #outgoing: TabMessage<E, S, H>[] = [];
  readonly #name: string;

  constructor(
    name: string,
    private readonly parts: LeaderOptions,
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
    clearTimeout(this.#returnTimer);
    this.#release();
  }

  #listen(what: "addEventListener" | "removeEventListener"): void {
    const { page, leaves = "pagehide" } = this.parts;
    page?.[what](leaves, this.#onLeave);
    page?.[what]("pageshow", this.#onReturn);
  }

  /** Batches the messages of one task into one post, because posting costs more than creating them. */
  post(message: TabMessage<E, S, H>): void {
    if (this.#outgoing.push(message) === 1) queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    if (this.#outgoing.length > 0) this.#channel?.postMessage(this.#outgoing);
    this.#outgoing = [];
  }

  readonly #onLeave = () => {
    this.#release();
    clearTimeout(this.#returnTimer);
    this.#returnTimer = setTimeout(this.#onReturn, RETURNS_AFTER_MS);
  };

  readonly #onReturn = () => {
    if (this.#returnTimer === undefined) return;
    clearTimeout(this.#returnTimer);
    this.#returnTimer = undefined;
    this.events.onMissed();
    this.#join();
  };

  #join(): void {
    const { locks, channel } = this.parts;
    if (locks === undefined || channel === undefined) return this.#lead();
    this.#channel = channel(this.#name);
    this.#channel.onmessage = ({ data }) => {
      for (const message of data as TabMessage<E, S, H>[]) if (message.to === "all" || this.leading) this.events.message(message);
    };
    const queued = (this.#queued = new AbortController());
    locks
      .request(this.#name, { signal: queued.signal }, () => {
        if (queued.signal.aborted) return;
        this.#lead();
        return new Promise<void>((resolve) => (this.#releaseLock = resolve));
      })
      .catch((error: unknown) => {
        // Web Locks exist but are refused (opaque origin): lead alone.
        if (!queued.signal.aborted && !this.leading && error !== undefined) this.#lead();
      });
  }

  #lead(): void {
    this.leading = true;
    this.events.onLead();
  }

  readonly #release = () => {
    this.#queued?.abort();
    this.#queued = null;
    this.#releaseLock?.();
    this.#releaseLock = null;
    if (this.leading) {
      this.leading = false;
      this.events.onYield();
    }
    this.#flush();
    // A browser evicts a cached page as soon as another tab posts to its open channel.
    this.#channel?.close();
    this.#channel = null;
  };
}
