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
        this.#put(event.conversation);
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
    const unread = held.unread + (message.from === "agent" && seq > held.visitor_seen_seq ? 1 : 0);
    this.#put({ ...held, last_seq: Math.max(held.last_seq, seq), unread });
    return { arrived: message, gap: added === "gap" ? { conversation: id, seq } : null };
  }

  /** true where that was news. */
  markSeen(id: string, seq: number): boolean {
    const conversation = this.find(id);
    if (conversation === undefined || seq <= conversation.visitor_seen_seq) return false;
    const left = this.messages.list.filter((message) => message.conversation === id && message.from === "agent" && message.seq > seq).length;
    this.#put({ ...conversation, visitor_seen_seq: seq, unread: left });
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
