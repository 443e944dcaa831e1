import type { PageReport, SharedConnection, VisitorEvent, VisitorHint, VisitorSignal } from "@ocs/protocol";
import type { Conversations } from "./conversations.ts";

const TYPING_EVERY_MS = 3_000;
/** Receipts carry the highest seq, so a burst is batched into one: the server accepts ten hints a second. */
const FLUSH_EVERY_MS = 250;
/** A visible message is soon reported as seen, which implies delivered. If that takes longer than this, it is reported as delivered first. */
const AWAIT_SEEN_MS = 1_000;

type Receipt = Extract<VisitorHint, { type: "delivered" | "seen" }>;

export type VisitorConnection = SharedConnection<VisitorEvent, VisitorSignal, VisitorHint>;

/** Sends hints: typing, page and receipts. Losing one does no harm, because receipts are repeated after each `welcome`. */
export class Hints {
  connection: VisitorConnection | null = null;
  #typedAt = 0;
  #pending = new Map<string, Receipt>();
  #flushedAt = -Infinity;
  #flushTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly conversations: Conversations) {}

  typing(): void {
    // Not connected: the typing hint is dropped.
    if (this.connection?.state !== "live" || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.connection.hint({ type: "typing" });
  }

  /** Returns true if it was sent. */
  page(page: PageReport): boolean {
    const live = this.connection?.state === "live";
    if (live) this.connection!.hint({ type: "page", page });
    return live;
  }

  /** A sent message ends the typing indicator: the next key sends a new hint at once. */
  sent(): void {
    this.#typedAt = 0;
  }

  delivered(conversation: string, seq: number, watched = false): void {
    if (this.connection?.leading) this.#queue({ type: "delivered", conversation, seq }, watched ? AWAIT_SEEN_MS : 0);
  }

  seen(conversation: string, seq: number): void {
    const delivered = `delivered ${conversation}`;
    if (this.#pending.get(delivered)?.seq! <= seq) this.#pending.delete(delivered);
    this.#queue({ type: "seen", conversation, seq });
  }

  /** Queues a receipt. The first is sent at once, further ones shortly afterwards in a batch. */
  #queue(receipt: Receipt, delayMs = 0): void {
    this.#pending.set(`${receipt.type} ${receipt.conversation}`, receipt);
    const wait = Math.max(delayMs, this.#flushedAt + FLUSH_EVERY_MS - performance.now());
    if (wait <= 0) this.#flush();
    else this.#flushTimer ??= setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#flushedAt = performance.now();
    for (const receipt of this.#pending.values()) this.connection?.hint(receipt);
    this.#pending.clear();
  }

  /** Sends all receipts again, in case the last ones were lost with their connection. */
  repeat(): void {
    for (const { id, last_seq, visitor_seen_seq } of this.conversations.list) {
      if (last_seq > 0) this.delivered(id, last_seq);
      if (visitor_seen_seq > 0) this.#queue({ type: "seen", conversation: id, seq: visitor_seen_seq });
    }
  }

  /** Discards queued receipts. */
  stop(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    this.#pending.clear();
  }
}
