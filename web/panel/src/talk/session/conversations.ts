import { MessageList, type ConversationForVisitor, type HistoryForVisitor, type MessageForVisitor, type MessagePoint, type VisitorEvent, type VisitorState } from "@ocs/protocol";

export type Added = {
  /** The message, if it was not known before. */
  added: MessageForVisitor | null;
  /** Set when messages before it are missing: fetch what precedes this position. */
  gap: MessagePoint | null;
};

const NOTHING: Added = { added: null, gap: null };

/** The visitor's conversations: loaded from the server and updated by events. */
export class Conversations {
  readonly messages = new MessageList<MessageForVisitor>((message) => message.conversation);
  /** `unread` counts agents' messages up to `last_seq`. */
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

  /** Applies an event. Returns true if it changed something: the server also sends back this browser's own receipts. */
  apply(event: Exclude<VisitorEvent, { kind: "message_sent" }>): boolean {
    switch (event.kind) {
      case "conversation_changed":
        this.#merge(event.conversation);
        return true;
      case "delivered":
        return event.by === "agent" && this.#raiseWatermarks(event.conversation, { agent_delivered_seq: event.seq });
      case "seen":
        if (event.by === "visitor") return this.markSeen(event.conversation, event.seq);
        return this.#raiseWatermarks(event.conversation, { agent_delivered_seq: event.seq, agent_seen_seq: event.seq });
    }
  }

  add(message: MessageForVisitor): Added {
    const result = this.messages.add(message);
    if (result === "known") return NOTHING;
    const { conversation: id, seq } = message;
    const known = this.find(id) ?? { id, state: "open", last_seq: 0, agent_delivered_seq: 0, agent_seen_seq: 0, visitor_seen_seq: 0, unread: 0 };
    // The visitor's messages do not raise `last_seq`: the response to one may arrive before an agent's earlier message.
    const counts = message.from === "agent" && seq > known.last_seq;
    this.#set(counts ? { ...known, last_seq: seq, unread: known.unread + (seq > known.visitor_seen_seq ? 1 : 0) } : known);
    return { added: message, gap: result === "gap" ? { conversation: id, seq } : null };
  }

  /** Returns true if it changed something. */
  markSeen(id: string, seq: number): boolean {
    const conversation = this.find(id);
    if (conversation === undefined || seq <= conversation.visitor_seen_seq) return false;
    const notLoaded = this.messages.lastSeq(id) < conversation.last_seq ? Math.max(0, conversation.unread - this.#countAbove(id, conversation.visitor_seen_seq)) : 0;
    this.#set({ ...conversation, visitor_seen_seq: seq, unread: seq < conversation.last_seq ? this.#countAbove(id, seq) + notLoaded : 0 });
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

  /** Merges a snapshot. It may already count messages whose events are still to come, and may not include the latest read receipt. */
  #merge(conversation: ConversationForVisitor): void {
    const seen = this.find(conversation.id)?.visitor_seen_seq ?? 0;
    this.#set(conversation);
    this.markSeen(conversation.id, seen);
  }

  /** How many loaded messages of agents are above this one. */
  #countAbove(id: string, seq: number): number {
    return this.messages.list.filter((message) => message.conversation === id && message.from === "agent" && message.seq > seq).length;
  }

  #raiseWatermarks(id: string, watermarks: { agent_delivered_seq: number; agent_seen_seq?: number }): boolean {
    const known = this.find(id);
    if (known === undefined) return false;
    const agent_delivered_seq = Math.max(known.agent_delivered_seq, watermarks.agent_delivered_seq);
    const agent_seen_seq = Math.max(known.agent_seen_seq, watermarks.agent_seen_seq ?? 0);
    if (agent_delivered_seq === known.agent_delivered_seq && agent_seen_seq === known.agent_seen_seq) return false;
    this.#set({ ...known, agent_delivered_seq, agent_seen_seq });
    return true;
  }

  #set(conversation: ConversationForVisitor): void {
    const known = this.find(conversation.id) !== undefined;
    this.list = known ? this.list.map((known) => (known.id === conversation.id ? conversation : known)) : [...this.list, conversation];
  }
}
