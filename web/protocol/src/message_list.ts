/** What ordering needs to know of a message; both sides' views have it. */
export type Ordered = { seq: number };

export type Added = "added" | "known" | "gap";

/**
 * Messages in the order to show. Order comes from the server: the order of its pages, and `seq` within a
 * conversation; clocks are never compared. The list is replaced, never changed in place.
 */
export class MessageList<M extends Ordered> {
  list: readonly M[] = [];
  readonly #last = new Map<string | number, number>();
  readonly #known = new Set<string>();

  constructor(private readonly conversationOf: (message: M) => string | number) {}

  /** The whole state, as `start` answers it. */
  reset(messages: readonly M[]): void {
    this.list = [];
    this.#last.clear();
    this.#known.clear();
    this.append(messages);
  }

  /** An older page, in the order to show. */
  prepend(messages: readonly M[]): void {
    this.list = [...messages.filter((message) => this.#learn(message)), ...this.list];
  }

  append(messages: readonly M[]): void {
    this.list = [...this.list, ...messages.filter((message) => this.#learn(message))];
  }

  /**
   * One message from the live feed. "gap" means that something before it is missing: it is shown all the
   * same, and the caller asks for the rest (`fill`).
   */
  add(message: M): Added {
    const conversation = this.conversationOf(message);
    const last = this.#last.get(conversation);
    if (!this.#learn(message)) return "known";
    if (last === undefined || message.seq > last) {
      this.list = [...this.list, message];
      return last === undefined ? (message.seq > 1 ? "gap" : "added") : message.seq > last + 1 ? "gap" : "added";
    }
    this.#insert(message);
    return "added";
  }

  /** Fetched messages that may close a gap: each goes before its successor. */
  fill(messages: readonly M[]): void {
    for (const message of messages) {
      if (!this.#learn(message)) continue;
      this.#insert(message);
    }
  }

  /** First hole in what is held of a conversation: the seq right after it, or null. */
  gap(conversation: string | number): number | null {
    let previous: number | null = null;
    for (const message of this.list) {
      if (this.conversationOf(message) !== conversation) continue;
      if (previous !== null && message.seq > previous + 1) return message.seq;
      previous = message.seq;
    }
    return null;
  }

  lastSeq(conversation: string | number): number {
    return this.#last.get(conversation) ?? 0;
  }

  #insert(message: M): void {
    const conversation = this.conversationOf(message);
    const after = this.list.findIndex((held) => this.conversationOf(held) === conversation && held.seq > message.seq);
    const at = after < 0 ? this.list.length : after;
    this.list = [...this.list.slice(0, at), message, ...this.list.slice(at)];
  }

  #learn(message: M): boolean {
    const conversation = this.conversationOf(message);
    const key = `${conversation} ${message.seq}`;
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    this.#last.set(conversation, Math.max(this.lastSeq(conversation), message.seq));
    return true;
  }
}
