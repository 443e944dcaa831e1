/** The field that ordering needs; visitors' and operators' messages both have it. */
export type Ordered = { seq: number };

export type Added = "added" | "known" | "gap";

/**
 * Messages in display order. The server decides the order: the order of its pages, and `seq` within a conversation;
 * clocks are never compared. The list is replaced, never mutated.
 */
export class MessageList<M extends Ordered> {
  list: readonly M[] = [];
  readonly #last = new Map<string | number, number>();
  readonly #known = new Set<string>();

  constructor(private readonly conversationOf: (message: M) => string | number) {}

  /** Replaces everything, with the messages of a `start` response. */
  reset(messages: readonly M[]): void {
    this.list = [];
    this.#last.clear();
    this.#known.clear();
    this.append(messages);
  }

  /** Adds an older page, in display order. */
  prepend(messages: readonly M[]): void {
    this.list = [...messages.filter((message) => this.#markKnown(message)), ...this.list];
  }

  append(messages: readonly M[]): void {
    this.list = [...this.list, ...messages.filter((message) => this.#markKnown(message))];
  }

  /**
   * Adds one message from a live event. "gap" means that messages before it are missing: it is shown anyway, and the
   * caller fetches the missing ones (`fill`).
   */
  add(message: M): Added {
    const conversation = this.conversationOf(message);
    const last = this.#last.get(conversation);
    if (!this.#markKnown(message)) return "known";
    if (last === undefined || message.seq > last) {
      this.list = [...this.list, message];
      return last === undefined ? (message.seq > 1 ? "gap" : "added") : message.seq > last + 1 ? "gap" : "added";
    }
    this.#insert(message);
    return "added";
  }

  /** Inserts fetched messages that may close a gap, each before its successor. */
  fill(messages: readonly M[]): void {
    for (const message of messages) {
      if (!this.#markKnown(message)) continue;
      this.#insert(message);
    }
  }

  /** The `seq` right after the first gap in a conversation, or null without a gap. */
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

  #markKnown(message: M): boolean {
    const conversation = this.conversationOf(message);
    const key = `${conversation} ${message.seq}`;
    if (this.#known.has(key)) return false;
    this.#known.add(key);
    this.#last.set(conversation, Math.max(this.lastSeq(conversation), message.seq));
    return true;
  }
}
