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
  changed(): void;
  /** The credential was refused: the queue stands until `resume`. */
  unauthorised(code: string): void;
};

/** Holds what was written until the server has it: kept through reloads, in order, each under one id for ever. */
export class Outbox {
  items: readonly OutboxItem[] = [];
  /** While the limit of messages a minute holds the queue: when it goes on. */
  heldUntil: number | null = null;
  #paused = true;
  #busy = new Map<string, { id: string; abort: AbortController }>();
  #wait = new Map<string, () => void>();
  #backoffs = new Map<string, Backoff>();
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
    if (this.items.some((item) => item.client_id === id)) this.#replace(this.items.filter((item) => item.client_id !== id));
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
    const abort = new AbortController();
    this.#busy.set(lane, { id, abort });
    this.#patch(id, { state: "sending" });
    let failure: unknown = null;
    try {
      await this.courier.deliver(item, abort.signal, (progress) => {
        if (!abort.signal.aborted) this.#patch(id, { progress });
      });
    } catch (error) {
      failure = error ?? new Error("failed");
    }
    if (abort.signal.aborted) return;
    this.#busy.delete(lane);
    if (failure === null) {
      this.#backoffs.get(lane)?.reset();
      this.remove(id);
    } else {
      this.#fail(item, failure);
    }
    this.#pump();
  }

  #fail({ client_id: id, lane }: OutboxItem, error: unknown): void {
    const status = error instanceof Refusal ? error.status : 0;
    const code = error instanceof Refusal ? error.code : null;
    if (status === 401 || code === "identity_required") {
      this.#paused = true;
      this.#patch(id, { state: "queued" });
      this.courier.unauthorised(code ?? "");
    } else if (error instanceof Refusal && error.retryAfterS !== null && (status === 429 || status === 503)) {
      this.#patch(id, { state: "queued" });
      this.#hold(error.retryAfterS * 1_000);
    } else if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      this.#patch(id, { state: "failed", code }, true);
    } else {
      this.#patch(id, { state: "queued" });
      this.#retryLater(lane);
    }
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

  #retryLater(lane: string): void {
    const backoff = this.#backoffs.get(lane) ?? new Backoff(this.#timers);
    this.#backoffs.set(lane, backoff);
    this.#wait.set(
      lane,
      this.#timers.after(backoff.next(), () => {
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
