import type { SharedConnection, VisitorEvent, VisitorHint, VisitorSignal } from "@ocs/protocol";
import type { Conversations } from "./conversations.ts";

const TYPING_EVERY_MS = 3_000;
/** Marks say the highest only, so that what comes quickly is told together: the server takes ten hints a second. */
const MARKS_EVERY_MS = 250;

type Mark = Extract<VisitorHint, { type: "delivered" | "seen" }>;

export type VisitorConnection = SharedConnection<VisitorEvent, VisitorSignal, VisitorHint>;

/** What the page tells the server on the side. Losing one costs nothing: marks are repeated at each welcome. */
export class Hints {
  connection: VisitorConnection | null = null;
  #typedAt = 0;
  #owed = new Map<string, Mark>();
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly conversations: Conversations) {}

  typing(): void {
    // What no line takes was not said.
    if (this.connection?.state !== "live" || Date.now() - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = Date.now();
    this.connection.hint({ type: "typing" });
  }

  /** A message ends what was said of typing: the next key is told at once. */
  sent(): void {
    this.#typedAt = 0;
  }

  delivered(conversation: string, seq: number): void {
    if (this.connection?.leading) this.#mark({ type: "delivered", conversation, seq });
  }

  seen(conversation: string, seq: number): void {
    this.#mark({ type: "seen", conversation, seq });
    this.connection?.tell({ seen: { conversation, seq } });
  }

  /** The first at once, those that follow it soon together. */
  #mark(mark: Mark): void {
    this.#owed.set(`${mark.type} ${mark.conversation}`, mark);
    if (this.#pause === undefined) this.#pay();
  }

  #pay(): void {
    for (const mark of this.#owed.values()) this.connection?.hint(mark);
    const some = this.#owed.size > 0;
    this.#owed.clear();
    this.#pause = some ? setTimeout(() => this.#pay(), MARKS_EVERY_MS) : undefined;
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
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#owed.clear();
  }
}
