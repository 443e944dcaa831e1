import type { SharedConnection, VisitorEvent, VisitorHint, VisitorSignal } from "@ocs/protocol";
import type { Conversations } from "./conversations.ts";

const TYPING_EVERY_MS = 3_000;

export type VisitorConnection = SharedConnection<VisitorEvent, VisitorSignal, VisitorHint>;

/** What the page tells the server on the side. Losing one costs nothing: marks are repeated at each welcome. */
export class Hints {
  connection: VisitorConnection | null = null;
  #typedAt = 0;

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
    if (this.connection?.leading) this.connection.hint({ type: "delivered", conversation, seq });
  }

  seen(conversation: string, seq: number): void {
    this.connection?.hint({ type: "seen", conversation, seq });
    this.connection?.tell({ seen: { conversation, seq } });
  }

  /** Watermarks again, in case the last ones were lost with their line. */
  repeat(): void {
    for (const { id, last_seq, visitor_seen_seq } of this.conversations.list) {
      if (last_seq > 0) this.delivered(id, last_seq);
      if (visitor_seen_seq > 0) this.connection?.hint({ type: "seen", conversation: id, seq: visitor_seen_seq });
    }
  }
}
