import { MessageList, type ConversationForVisitor, type HistoryForVisitor, type MessageForVisitor, type MessagePoint, type VisitorEvent, type VisitorState } from "@ocs/protocol";

export type Added = {
  /** A message that was not known before. */
  arrived: MessageForVisitor | null;
  /** Something before it is missing: ask for what precedes this point. */
  gap: MessagePoint | null;
};

const NOTHING: Added = { arrived: null, gap: null };

/** The visitor's threads as the server tells them, kept up by events. */
export class Conversations {
  readonly messages = new MessageList<MessageForVisitor>((message) => message.conversation);
  /** `unread` counts what agents wrote up to `last_seq`. */
  list: readonly ConversationForVisitor[] = [];
  more = false;

  load(state: Pick<VisitorState, "conversations" | "messages" | "more">): void {
    this.list = state.conversations;
    this.messages.reset(state.messages);
    this.more = state.more;
  }

  older(page: HistoryForVisitor): void {
    this.messages.prepend(page.messages);
    this.more = page.more;
  }

  /** true where that was news: of what this browser marks itself, the server tells too. */
  apply(event: Exclude<VisitorEvent, { kind: "message_sent" }>): boolean {
    switch (event.kind) {
      case "conversation_changed":
        this.#copy(event.conversation);
        return true;
      case "delivered":
        return event.by === "agent" && this.#raise(event.conversation, { agent_delivered_seq: event.seq });
      case "seen":
        if (event.by === "visitor") return this.markSeen(event.conversation, event.seq);
        return this.#raise(event.conversation, { agent_delivered_seq: event.seq, agent_seen_seq: event.seq });
    }
  }

  add(message: MessageForVisitor): Added {
    const added = this.messages.add(message);
    if (added === "known") return NOTHING;
    const { conversation: id, seq } = message;
    const held = this.find(id) ?? { id, state: "open", last_seq: 0, agent_delivered_seq: 0, agent_seen_seq: 0, visitor_seen_seq: 0, unread: 0 };
    // Its own messages do not raise `last_seq`: the answer to one may come before an agent's earlier message does.
    const counts = message.from === "agent" && seq > held.last_seq;
    this.#put(counts ? { ...held, last_seq: seq, unread: held.unread + (seq > held.visitor_seen_seq ? 1 : 0) } : held);
    return { arrived: message, gap: added === "gap" ? { conversation: id, seq } : null };
  }

  /** true where that was news. */
  markSeen(id: string, seq: number): boolean {
    const conversation = this.find(id);
    if (conversation === undefined || seq <= conversation.visitor_seen_seq) return false;
    const coming = this.messages.lastSeq(id) < conversation.last_seq ? Math.max(0, conversation.unread - this.#above(id, conversation.visitor_seen_seq)) : 0;
    this.#put({ ...conversation, visitor_seen_seq: seq, unread: seq < conversation.last_seq ? this.#above(id, seq) + coming : 0 });
    return true;
  }

  find(id: string): ConversationForVisitor | undefined {
    return this.list.find((conversation) => conversation.id === id);
  }

  get unread(): number {
    return this.list.reduce((sum, conversation) => sum + conversation.unread, 0);
  }

  get hasOpen(): boolean {
    return this.list.some((conversation) => conversation.state === "open");
  }

  get oldest(): MessagePoint | null {
    const [first] = this.messages.list;
    return first === undefined ? null : { conversation: first.conversation, seq: first.seq };
  }

  /** A copy tells of now: it counts messages that are still to come, and may not know what was seen here a moment ago. */
  #copy(conversation: ConversationForVisitor): void {
    const seen = this.find(conversation.id)?.visitor_seen_seq ?? 0;
    this.#put(conversation);
    this.markSeen(conversation.id, seen);
  }

  /** How many messages of an agent are held above this one. */
  #above(id: string, seq: number): number {
    return this.messages.list.filter((message) => message.conversation === id && message.from === "agent" && message.seq > seq).length;
  }

  #raise(id: string, marks: { agent_delivered_seq: number; agent_seen_seq?: number }): boolean {
    const held = this.find(id);
    if (held === undefined) return false;
    const agent_delivered_seq = Math.max(held.agent_delivered_seq, marks.agent_delivered_seq);
    const agent_seen_seq = Math.max(held.agent_seen_seq, marks.agent_seen_seq ?? 0);
    if (agent_delivered_seq === held.agent_delivered_seq && agent_seen_seq === held.agent_seen_seq) return false;
    this.#put({ ...held, agent_delivered_seq, agent_seen_seq });
    return true;
  }

  #put(conversation: ConversationForVisitor): void {
    const known = this.find(conversation.id) !== undefined;
    this.list = known ? this.list.map((held) => (held.id === conversation.id ? conversation : held)) : [...this.list, conversation];
  }
}
