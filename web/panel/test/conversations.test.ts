import { describe, expect, it } from "vitest";
import type { ConversationForVisitor, MessageForVisitor } from "@ocs/protocol";
import { Conversations } from "../src/talk/session/conversations.ts";

const copy = (told: Partial<ConversationForVisitor>): ConversationForVisitor => ({
  id: "c", state: "open", last_seq: 0, agent_delivered_seq: 0, agent_seen_seq: 0, visitor_seen_seq: 0, unread: 0, ...told,
});
const message = (from: "agent" | "visitor", seq: number): MessageForVisitor => ({
  conversation: "c", seq, from, name: null, text: `${seq}`, image: null, client_id: null, at: seq,
});
const changed = (told: Partial<ConversationForVisitor>) => ({ kind: "conversation_changed" as const, conversation: copy(told) });

describe("what is unread", () => {
  it("counts a message once, though the conversation's copy counted it before it came", () => {
    const conversations = new Conversations();
    conversations.apply(changed({ last_seq: 2, unread: 1 }));
    conversations.add(message("visitor", 1));
    conversations.add(message("agent", 2));
    expect(conversations.unread).toBe(1);
    conversations.add(message("agent", 3));
    expect(conversations.unread).toBe(2);
  });

  it("counts an agent's message that comes after the answer to a later one of the visitor's own", () => {
    const conversations = new Conversations();
    conversations.load({ conversations: [copy({ last_seq: 1 })], messages: [message("visitor", 1)], more: false });
    conversations.add(message("visitor", 3));
    conversations.add(message("agent", 2));
    expect(conversations.unread).toBe(1);
  });

  it("keeps what a copy told of and has not come yet, while the earlier ones are read", () => {
    const conversations = new Conversations();
    conversations.load({ conversations: [copy({ last_seq: 2, unread: 2 })], messages: [message("agent", 1), message("agent", 2)], more: false });
    conversations.apply(changed({ last_seq: 3, unread: 3 }));
    conversations.markSeen("c", 2);
    expect(conversations.unread).toBe(1);
    conversations.add(message("agent", 3));
    expect(conversations.unread).toBe(1);
    conversations.markSeen("c", 3);
    expect(conversations.unread).toBe(0);
  });

  it("stays read where a copy does not know yet that it was", () => {
    const conversations = new Conversations();
    conversations.load({ conversations: [copy({ last_seq: 1, unread: 1 })], messages: [message("agent", 1)], more: false });
    conversations.markSeen("c", 1);
    conversations.apply(changed({ last_seq: 1, unread: 1, state: "closed" }));
    expect(conversations.unread).toBe(0);
    expect(conversations.find("c")).toMatchObject({ state: "closed", visitor_seen_seq: 1 });
  });

  it("is nothing once the newest is seen, whatever earlier was never loaded", () => {
    const conversations = new Conversations();
    conversations.load({ conversations: [copy({ last_seq: 60, unread: 60 })], messages: [message("agent", 59), message("agent", 60)], more: true });
    conversations.markSeen("c", 59);
    expect(conversations.unread).toBe(1);
    conversations.markSeen("c", 60);
    expect(conversations.unread).toBe(0);
  });
});
