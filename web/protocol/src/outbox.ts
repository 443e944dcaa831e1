import { Backoff } from "./backoff.ts";
import type { OutboxStore } from "./outbox_store.ts";
import { Refusal } from "./refusal.ts";
import { realTimers, type Timers } from "./timers.ts";

export type OutboxItem = {
  client_id: string;
  /** Items of one lane go out one after the other; a conversation is a lane. */
  lane: string;
  text: string;
  /** The bytes lie in the image store under client_id. */
  image: { name: string; type: string; width: number; height: number } | null;
  at: number;
  state: "queued" | "sending" | "failed";
  /** Why it failed, as a code of the wire. */
  code: string | null;
  /** 0 to 1, of an upload. */
  progress: number;
};

export type Draft = Pick<OutboxItem, "client_id" | "lane" | "text" | "image">;

export type Courier = {
  /** Resolves when the server holds the message durably. */
  deliver(item: OutboxItem, cancelled: AbortSignal, progress: (part: number) => void): Promise<void>;
  /**
   * Asks the server, by a small request of another kind, whether it holds the item. Rejects when no answer comes: then
   * the connection is at fault and not the item.
   */
  holds(item: OutboxItem): Promise<boolean>;
  /** Makes a picture's bytes smaller and returns what they are now; null when they cannot be or are small already. */
  lighten(item: OutboxItem): Promise<OutboxItem["image"]>;
  changed(): void;
  /** The credential was refused: the queue stands until `resume`. */
  unauthorised(code: string): void;
};

/**
 * After so many tries in a row that failed while the server answered another request, an item is set aside. Also on a
 * line on which every second request is lost, that happens to one item in 250.
 */
const TRIES = 4;
/** After so many, a large picture is made smaller, and the count begins anew. */
const LARGE_TRIES = 2;
/** A try without progress for this long has failed. As long as the server's default `body_seconds`. */
const SILENCE_MS = 60_000;

type Turn = { id: string; abort: AbortController };

/**
 * Holds what was written until the server has it: kept through reloads, in order, each under one id for ever.
 *
 * An item fails alone when its requests get no usable answer while the server answers others: a proxy that refuses a
 * large body without CORS headers looks like a lost connection to a page. Such a picture is made smaller and tried
 * again; what still fails becomes "failed", and the next item goes out. The server is asked whether it holds the item
 * first, so nothing that was stored is called unsent.
 */
export class Outbox {
  items: readonly OutboxItem[] = [];
  /** While the limit of messages a minute holds the queue: when it goes on. */
  heldUntil: number | null = null;
  #paused = true;
  #busy = new Map<string, Turn>();
  #wait = new Map<string, () => void>();
  #backoffs = new Map<string, Backoff>();
  /** Failed tries of an item while the server answered other requests. */
  #tries = new Map<string, number>();
  #cancelHold = () => {};
  readonly #timers: Timers;

  constructor(
    private readonly store: OutboxStore,
    private readonly courier: Courier,
    timers: Timers = realTimers,
  ) {
    this.#timers = timers;
  }

  /** Takes up what an earlier page left. */
  load(): void {
    const held = new Set(this.items.map((item) => item.client_id));
    const left = this.store.load().filter((item) => !held.has(item.client_id));
    this.#replace([...left.map((item) => (item.state === "sending" ? { ...item, state: "queued" as const } : item)), ...this.items]);
  }

  add(draft: Draft): void {
    const item: OutboxItem = { ...draft, at: this.#timers.now(), state: "queued", code: null, progress: 0 };
    this.store.put(item);
    this.#replace([...this.items, item]);
    this.#pump();
  }

  retry(id: string): void {
    this.#patch(id, { state: "queued", code: null, progress: 0 }, true);
    this.#pump();
  }

  /** Deleted by its writer, or taken over by the thread. An upload under way is cut off. */
  remove(id: string): void {
    for (const [lane, { id: sending, abort }] of this.#busy) {
      if (sending !== id) continue;
      this.#busy.delete(lane);
      abort.abort();
    }
    this.store.drop(id);
    const removed = this.items.find((item) => item.client_id === id);
    if (removed) {
      this.#startOver(removed);
      this.#replace(this.items.filter((item) => item !== removed));
    }
    this.#pump();
  }

  has(id: string): boolean {
    return this.items.some((item) => item.client_id === id);
  }

  /** There is a credential, or the network is back: try now. */
  resume(): void {
    this.#paused = false;
    for (const cancel of this.#wait.values()) cancel();
    this.#wait.clear();
    this.#pump();
  }

  pause(): void {
    this.#paused = true;
  }

  /** Another person now: nothing of this one may go out. */
  clear(): void {
    for (const { client_id } of this.items) this.store.drop(client_id);
    this.stop();
    this.#replace([]);
  }

  stop(): void {
    this.#paused = true;
    this.#cancelHold();
    this.heldUntil = null;
    for (const cancel of this.#wait.values()) cancel();
    for (const { abort } of this.#busy.values()) abort.abort();
    this.#wait.clear();
    this.#busy.clear();
    this.#tries.clear();
  }

  #pump(): void {
    if (this.#paused || this.heldUntil !== null) return;
    const seen = new Set<string>();
    for (const item of this.items) {
      if (item.state === "failed" || seen.has(item.lane)) continue;
      seen.add(item.lane);
      if (!this.#busy.has(item.lane) && !this.#wait.has(item.lane)) void this.#send(item);
    }
  }

  async #send(item: OutboxItem): Promise<void> {
    const { client_id: id, lane } = item;
    const turn = { id, abort: new AbortController() };
    this.#busy.set(lane, turn);
    this.#patch(id, { state: "sending" });
    try {
      await this.#deliver(item, turn);
      if (this.#busy.get(lane) === turn) this.remove(id);
    } catch (error) {
      if (this.#busy.get(lane) !== turn) return;
      await this.#fail(item, turn, error);
      if (this.#busy.get(lane) !== turn) return;
      this.#busy.delete(lane);
      this.#pump();
    }
  }

  /** One try. Rejects when nothing moves any more. */
  async #deliver(item: OutboxItem, { id, abort }: Turn): Promise<void> {
    let cancel = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const wait = () => {
          cancel();
          cancel = this.#timers.after(SILENCE_MS, () => {
            reject(new TypeError("no progress"));
            abort.abort();
          });
        };
        wait();
        const progress = (part: number) => {
          if (abort.signal.aborted) return;
          wait();
          this.#patch(id, { progress: part });
        };
        this.courier.deliver(item, abort.signal, progress).then(resolve, reject);
      });
    } finally {
      cancel();
    }
  }

  /** What becomes of an item after a failed try. */
  async #fail(item: OutboxItem, turn: Turn, error: unknown): Promise<void> {
    const { client_id: id, lane } = item;
    const refusal = error instanceof Refusal ? error : null;
    const { status = 0, code = null, retryAfterS = null } = refusal ?? {};
    if (status === 401 || code === "identity_required") {
      this.#paused = true;
      this.#patch(id, { state: "queued" });
      return this.courier.unauthorised(code ?? "");
    }
    const wait = status === 429 || status === 503 ? retryAfterS : null;
    // A server that takes no pictures may take texts.
    if (wait !== null && !(status === 503 && item.image)) {
      this.#patch(id, { state: "queued" });
      return this.#hold(wait * 1_000);
    }
    if (status === 413 && item.image) {
      if (!(await this.#lightened(item, turn))) this.#patch(id, { state: "failed", code: "image_too_large" }, true);
      return;
    }
    if (status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429) return this.#patch(id, { state: "failed", code }, true);
    const held = await this.courier.holds(item).catch(() => null);
    if (this.#busy.get(lane) !== turn) return;
    // 409: the server holds a message under this id. An earlier try of the picture arrived, with another upload.
    if (held || (held === false && status === 409)) return this.remove(id);
    const tries = held === null ? 0 : (this.#tries.get(id) ?? 0) + 1;
    this.#tries.set(id, tries);
    if (tries === LARGE_TRIES && (await this.#lightened(item, turn))) return;
    if (tries >= TRIES) {
      this.#startOver(item);
      return this.#patch(id, { state: "failed", code: wait === null ? null : code }, true);
    }
    this.#patch(id, { state: "queued" });
    this.#retryLater(lane, (wait ?? 0) * 1_000);
  }
  /** true when there is no more to do about the failed try: a smaller picture goes out, or the item is gone. */
  async #lightened(item: OutboxItem, turn: Turn): Promise<boolean> {
    const image = item.image && (await this.courier.lighten(item).catch(() => null));
    if (this.#busy.get(item.lane) !== turn) return true;
    if (!image) return false;
    this.#startOver(item);
    this.#patch(item.client_id, { state: "queued", image, progress: 0 }, true);
    return true;
  }

  #startOver({ client_id, lane }: OutboxItem): void {
    this.#tries.delete(client_id);
    this.#backoffs.get(lane)?.reset();
  }

  #hold(ms: number): void {
    this.heldUntil = this.#timers.now() + ms;
    this.#cancelHold();
    this.#cancelHold = this.#timers.after(ms, () => {
      this.heldUntil = null;
      this.courier.changed();
      this.#pump();
    });
    this.courier.changed();
  }

  #retryLater(lane: string, atLeastMs: number): void {
    const backoff = this.#backoffs.get(lane) ?? new Backoff(this.#timers);
    this.#backoffs.set(lane, backoff);
    this.#wait.set(
      lane,
      this.#timers.after(Math.max(atLeastMs, backoff.next()), () => {
        this.#wait.delete(lane);
        this.#pump();
      }),
    );
  }

  #patch(id: string, change: Partial<OutboxItem>, keep = false): void {
    this.#replace(this.items.map((item) => (item.client_id === id ? { ...item, ...change } : item)));
    const item = this.items.find((held) => held.client_id === id);
    if (keep && item !== undefined) this.store.put(item);
  }

  #replace(items: readonly OutboxItem[]): void {
    this.items = items;
    this.courier.changed();
  }
}
