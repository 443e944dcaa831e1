import { MessageList, type ConversationForVisitor, type HistoryForVisitor, type MessageForVisitor, type MessagePoint, type VisitorEvent, type VisitorState } from "@ocs/protocol";

export type Applied = {
  /** A message that was not known before. */
  arrived: MessageForVisitor | null;
  /** Something before it is missing: ask for what precedes this point. */
  gap: MessagePoint | null;
};

const NOTHING: Applied = { arrived: null, gap: null };

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

  apply(event: VisitorEvent): Applied {
    switch (event.kind) {
      case "message_sent":
        return this.#message(event.message);
      case "conversation_changed":
        this.#put(event.conversation);
        return NOTHING;
      case "delivered":
        if (event.by === "agent") this.#raise(event.conversation, "agent_delivered_seq", event.seq);
        return NOTHING;
      case "seen":
        if (event.by === "visitor") this.markSeen(event.conversation, event.seq);
        else {
          this.#raise(event.conversation, "agent_delivered_seq", event.seq);
          this.#raise(event.conversation, "agent_seen_seq", event.seq);
        }
        return NOTHING;
    }
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

  #message(message: MessageForVisitor): Applied {
    const added = this.messages.add(message);
    if (added === "known") return NOTHING;
    const { conversation: id, seq } = message;
    const held = this.find(id) ?? { id, state: "open", last_seq: 0, agent_delivered_seq: 0, agent_seen_seq: 0, visitor_seen_seq: 0, unread: 0 };
    const unread = held.unread + (message.from === "agent" && seq > held.visitor_seen_seq ? 1 : 0);
    this.#put({ ...held, last_seq: Math.max(held.last_seq, seq), unread });
    return { arrived: message, gap: added === "gap" ? { conversation: id, seq } : null };
  }

  #raise(id: string, mark: "agent_delivered_seq" | "agent_seen_seq", seq: number): void {
    const conversation = this.find(id);
    if (conversation !== undefined && conversation[mark] < seq) this.#put({ ...conversation, [mark]: seq });
  }

  #put(conversation: ConversationForVisitor): void {
    const known = this.find(conversation.id) !== undefined;
    this.list = known ? this.list.map((held) => (held.id === conversation.id ? conversation : held)) : [...this.list, conversation];
  }
}
