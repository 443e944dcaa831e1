import type { ConversationForOperator as Conversation, Page, VisitorForOperator } from '@ocs/protocol/wire';
import { isAbout, type Person, withVisitor } from './conversation-events';
import { inbox } from './inbox.svelte';

/** Changes the visitor in each loaded conversation of this person. */
function updateConversations(person: Person, change: (visitor: VisitorForOperator) => VisitorForOperator): void {
  const matching: Conversation[] = [];
  for (const conversation of inbox.conversations.values()) {
    if (isAbout(conversation, person)) matching.push(conversation);
  }
  for (const conversation of matching) inbox.set(withVisitor(conversation, change(conversation.visitor)));
}

export const visitors = {
  update(visitor: VisitorForOperator): void {
    updateConversations({ ...visitor, visitor_id: visitor.id }, () => visitor);
  },
  setOnline(person: Person, online: boolean): void {
    updateConversations(person, (visitor) => ({ ...visitor, online, last_seen_at: Math.max(visitor.last_seen_at, Date.now()) }));
  },
  setPage(person: Person, page: Page): void {
    updateConversations(person, (visitor) => ({ ...visitor, page }));
  },
};
