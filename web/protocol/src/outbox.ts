import { Backoff } from "./backoff.ts";
import type { OutboxStore } from "./outbox_store.ts";
import { ApiError } from "./api_error.ts";
import { realTimers, type Timers } from "./timers.ts";

export type OutboxItem = {
  client_id: string;
  /** Items of one lane are sent one after the other; each conversation is a lane. */
  lane: string;
  text: string;
  /** The image's bytes are in the image store, under client_id. */
  image: { name: string; type: string; width: number; height: number } | null;
  at: number;
  state: "queued" | "sending" | "failed";
  /** Why it failed: an error code of the server. */
  code: string | null;
  /** Progress of an upload, 0 to 1. */
  progress: number;
};

export type Draft = Pick<OutboxItem, "client_id" | "lane" | "text" | "image">;

export type OutboxHost = {
  /** Sends an item. Resolves when the server has stored the message durably. */
  deliver(item: OutboxItem, cancelled: AbortSignal, progress: (part: number) => void): Promise<void>;
  /**
   * Asks the server, by a small request of another kind, whether it has stored the item. Rejects when there is no response:
   * then the connection is at fault and not the item.
   */
  isStored(item: OutboxItem): Promise<boolean>;
  /** Re-encodes an image smaller and returns its new description; null when it is small already or can't be re-encoded. */
  shrinkImage(item: OutboxItem): Promise<OutboxItem["image"]>;
  changed(): void;
  /** Nothing of this author is taken now, by its credential or by the site's policy: the queue is paused until `resume`. */
  unauthorised(code: string): void;
};

/**
 * An item becomes "failed" after this many attempts in a row that failed while the server answered another request. On a
 * network that loses every second request, that still happens to only one item in 250.
 */
const MAX_FAILURES = 4;
/** Refusals that are not about the item: it waits until the site's owner changes their mind. */
const POLICY = /^(site_paused|forbidden_origin|identity_required)$/;
/** After this many, a large image is made smaller and the count restarts. */
const SHRINK_AFTER_FAILURES = 2;
/** An attempt without progress for this long has failed. Equals the server's default `body_seconds`. */
const STALL_TIMEOUT_MS = 60_000;

type Attempt = { id: string; abort: AbortController };

/**
 * Queue of outgoing messages: persisted across reloads, sent in order, each always under the same client_id, so that a
 * retry is idempotent.
 *
 * An item fails by itself when its requests get no usable response while the server answers others: to a page, a proxy that
 * refuses a large body without CORS headers looks like a lost connection. An image is then made smaller and retried; an item
 * that still fails becomes "failed", and the next one is sent. The server is first asked whether it has stored the item, so
 * that no stored message is reported as unsent.
 */
export class Outbox {
  items: readonly OutboxItem[] = [];
  /** When sending continues, in milliseconds since 1970, while the rate limit pauses the queue. */
  heldUntil: number | null = null;
  #paused = true;
  #inFlight = new Map<string, Attempt>();
  #waiting = new Map<string, () => void>();
  #backoffs = new Map<string, Backoff>();
  /** Failed attempts of each item while the server answered other requests. */
  #failures = new Map<string, number>();
  #cancelPause = () => {};
  readonly #timers: Timers;

  constructor(
    private readonly store: OutboxStore,
    private readonly host: OutboxHost,
    timers: Timers = realTimers,
  ) {
    this.#timers = timers;
  }

  /** Loads the items that an earlier page left in the store. */
  load(): void {
    const stored = new Set(this.items.map((item) => item.client_id));
    const left = this.store.load().filter((item) => !stored.has(item.client_id));
    this.#replace([...left.map((item) => (item.state === "sending" ? { ...item, state: "queued" as const } : item)), ...this.items]);
  }

  add(draft: Draft): void {
    const item: OutboxItem = { ...draft, at: this.#timers.now(), state: "queued", code: null, progress: 0 };
    this.store.put(item);
    this.#replace([...this.items, item]);
    this.#sendNext();
  }

  retry(id: string): void {
    this.#patch(id, { state: "queued", code: null, progress: 0 }, true);
    this.#sendNext();
  }

  /** Removes an item that its author deleted or that the thread now shows. Aborts its upload. */
  remove(id: string): void {
    for (const [lane, { id: sending, abort }] of this.#inFlight) {
      if (sending !== id) continue;
      this.#inFlight.delete(lane);
      abort.abort();
    }
    this.store.drop(id);
    const removed = this.items.find((item) => item.client_id === id);
    if (removed) {
      this.#resetFailures(removed);
      this.#replace(this.items.filter((item) => item !== removed));
    }
    this.#sendNext();
  }

  has(id: string): boolean {
    return this.items.some((item) => item.client_id === id);
  }

  /** Retries now: there is a credential, or the network is back. */
  resume(): void {
    this.#paused = false;
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#sendNext();
  }

  pause(): void {
    this.#paused = true;
  }

  /** Deletes everything: somebody else uses this browser now, and nothing of this person may be sent. */
  clear(): void {
    for (const { client_id } of this.items) this.store.drop(client_id);
    this.stop();
    this.#replace([]);
  }

  stop(): void {
    this.#paused = true;
    this.#cancelPause();
    this.heldUntil = null;
    for (const cancel of this.#waiting.values()) cancel();
    for (const { abort } of this.#inFlight.values()) abort.abort();
    this.#waiting.clear();
    this.#inFlight.clear();
    this.#failures.clear();
  }

  #sendNext(): void {
    if (this.#paused || this.heldUntil !== null) return;
    const seen = new Set<string>();
    for (const item of this.items) {
      if (item.state === "failed" || seen.has(item.lane)) continue;
      seen.add(item.lane);
      if (!this.#inFlight.has(item.lane) && !this.#waiting.has(item.lane)) void this.#send(item);
    }
  }

  async #send(item: OutboxItem): Promise<void> {
    const { client_id: id, lane } = item;
    const attempt = { id, abort: new AbortController() };
    this.#inFlight.set(lane, attempt);
    this.#patch(id, { state: "sending" });
    try {
      await this.#attempt(item, attempt);
      if (this.#inFlight.get(lane) === attempt) this.remove(id);
    } catch (error) {
      if (this.#inFlight.get(lane) !== attempt) return;
      await this.#afterFailure(item, attempt, error);
      if (this.#inFlight.get(lane) !== attempt) return;
      this.#inFlight.delete(lane);
      this.#sendNext();
    }
  }

  /** One attempt to send an item. Rejects when it makes no progress. */
  async #attempt(item: OutboxItem, { id, abort }: Attempt): Promise<void> {
    let cancel = () => {};
    try {
      await new Promise<void>((resolve, reject) => {
        const wait = () => {
          cancel();
          cancel = this.#timers.after(STALL_TIMEOUT_MS, () => {
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
        this.host.deliver(item, abort.signal, progress).then(resolve, reject);
      });
    } finally {
      cancel();
    }
  }

  /** Decides what happens to an item after a failed attempt. */
  async #afterFailure(item: OutboxItem, attempt: Attempt, error: unknown): Promise<void> {
    const { client_id: id, lane } = item;
    const refusal = error instanceof ApiError ? error : null;
    const { status = 0, code = null, retryAfterS = null } = refusal ?? {};
    if (status === 401 || POLICY.test(code ?? "")) {
      this.#paused = true;
      this.#patch(id, { state: "queued" });
      return this.host.unauthorised(code ?? "");
    }
    const wait = status === 429 || status === 503 ? retryAfterS : null;
    // A server that currently stores no images may still store texts.
    if (wait !== null && !(status === 503 && item.image)) {
      this.#patch(id, { state: "queued" });
      return this.#pauseFor(wait * 1_000);
    }
    if (status === 413 && item.image) {
      if (!(await this.#shrunk(item, attempt))) this.#patch(id, { state: "failed", code: "image_too_large" }, true);
      return;
    }
    if (status >= 400 && status < 500 && status !== 408 && status !== 409 && status !== 429) return this.#patch(id, { state: "failed", code }, true);
    const stored = await this.host.isStored(item).catch(() => null);
    if (this.#inFlight.get(lane) !== attempt) return;
    // 409: the server has stored a message under this id. An earlier attempt succeeded, with another upload of the image.
    if (stored || (stored === false && status === 409)) return this.remove(id);
    const failures = stored === null ? 0 : (this.#failures.get(id) ?? 0) + 1;
    this.#failures.set(id, failures);
    if (failures === SHRINK_AFTER_FAILURES && (await this.#shrunk(item, attempt))) return;
    if (failures >= MAX_FAILURES) {
      this.#resetFailures(item);
      return this.#patch(id, { state: "failed", code: wait === null ? null : code }, true);
    }
    this.#patch(id, { state: "queued" });
    this.#retryLater(lane, (wait ?? 0) * 1_000);
  }

  /** Shrinks the item's image. Returns true if a smaller image is queued or the item is gone: nothing else to do. */
  async #shrunk(item: OutboxItem, attempt: Attempt): Promise<boolean> {
    const image = item.image && (await this.host.shrinkImage(item).catch(() => null));
    if (this.#inFlight.get(item.lane) !== attempt) return true;
    if (!image) return false;
    this.#resetFailures(item);
    this.#patch(item.client_id, { state: "queued", image, progress: 0 }, true);
    return true;
  }

  #resetFailures({ client_id, lane }: OutboxItem): void {
    this.#failures.delete(client_id);
    this.#backoffs.get(lane)?.reset();
  }

  #pauseFor(ms: number): void {
    this.heldUntil = this.#timers.now() + ms;
    this.#cancelPause();
    this.#cancelPause = this.#timers.after(ms, () => {
      this.heldUntil = null;
      this.host.changed();
      this.#sendNext();
    });
    this.host.changed();
  }

  #retryLater(lane: string, atLeastMs: number): void {
    const backoff = this.#backoffs.get(lane) ?? new Backoff(this.#timers);
    this.#backoffs.set(lane, backoff);
    this.#waiting.set(
      lane,
      this.#timers.after(Math.max(atLeastMs, backoff.next()), () => {
        this.#waiting.delete(lane);
        this.#sendNext();
      }),
    );
  }

  #patch(id: string, change: Partial<OutboxItem>, keep = false): void {
    this.#replace(this.items.map((item) => (item.client_id === id ? { ...item, ...change } : item)));
    const item = this.items.find((stored) => stored.client_id === id);
    if (keep && item !== undefined) this.store.put(item);
  }

  #replace(items: readonly OutboxItem[]): void {
    this.items = items;
    this.host.changed();
  }
}
