import type { PageSaid, SharedConnection, VisitorEvent, VisitorHint, VisitorSignal } from "@ocs/protocol";
import type { Conversations } from "./conversations.ts";

const TYPING_EVERY_MS = 3_000;
/** Marks say the highest only, so that what comes quickly is told together: the server takes ten hints a second. */
const MARKS_EVERY_MS = 250;
/** What comes before somebody's eyes is told as seen, which stands for delivered too. Later than this it is delivered only. */
const SEEN_WITHIN_MS = 1_000;

type Mark = Extract<VisitorHint, { type: "delivered" | "seen" }>;

export type VisitorConnection = SharedConnection<VisitorEvent, VisitorSignal, VisitorHint>;

/** What the page tells the server on the side. Losing one costs nothing: marks are repeated at each welcome. */
export class Hints {
  connection: VisitorConnection | null = null;
  #typedAt = 0;
  #owed = new Map<string, Mark>();
  #paidAt = -Infinity;
  #payday: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly conversations: Conversations) {}

  typing(): void {
    // What no line takes was not said.
    if (this.connection?.state !== "live" || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.connection.hint({ type: "typing" });
  }

  /** true where it went out. */
  page(page: PageSaid): boolean {
    const live = this.connection?.state === "live";
    if (live) this.connection!.hint({ type: "page", page });
    return live;
  }

  /** A message ends what was said of typing: the next key is told at once. */
  sent(): void {
    this.#typedAt = 0;
  }

  delivered(conversation: string, seq: number, watched = false): void {
    if (this.connection?.leading) this.#mark({ type: "delivered", conversation, seq }, watched ? SEEN_WITHIN_MS : 0);
  }

  seen(conversation: string, seq: number): void {
    const delivered = `delivered ${conversation}`;
    if (this.#owed.get(delivered)?.seq! <= seq) this.#owed.delete(delivered);
    this.#mark({ type: "seen", conversation, seq });
  }

  /** The first at once, those that follow it soon together. */
  #mark(mark: Mark, patience = 0): void {
    this.#owed.set(`${mark.type} ${mark.conversation}`, mark);
    const wait = Math.max(patience, this.#paidAt + MARKS_EVERY_MS - performance.now());
    if (wait <= 0) this.#pay();
    else this.#payday ??= setTimeout(() => this.#pay(), wait);
  }

  #pay(): void {
    clearTimeout(this.#payday);
    this.#payday = undefined;
    this.#paidAt = performance.now();
    for (const mark of this.#owed.values()) this.connection?.hint(mark);
    this.#owed.clear();
  }

  /** Watermarks again, in case the last ones were lost with their line. */
  repeat(): void {
    for (const { id, last_seq, visitor_seen_seq } of this.conversations.list) {
      if (last_seq > 0) this.delivered(id, last_seq);
      if (visitor_seen_seq > 0) this.#mark({ type: "seen", conversation: id, seq: visitor_seen_seq });
    }
  }

  /** Nobody is told any more. */
  stop(): void {
    clearTimeout(this.#payday);
    this.#payday = undefined;
    this.#owed.clear();
  }
}
