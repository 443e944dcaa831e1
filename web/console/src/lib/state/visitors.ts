import type { ConversationForOperator as Conversation, Page, VisitorForOperator } from '@ocs/protocol/wire';
import { isOf, type Person, withVisitor } from './conversation-events';
import { inbox } from './inbox.svelte';

/** News of a person goes to each of its conversations that we know. */
function forEach(person: Person, change: (visitor: VisitorForOperator) => VisitorForOperator): void {
  const touched: Conversation[] = [];
  for (const conversation of inbox.known.values()) {
    if (isOf(conversation, person)) touched.push(conversation);
  }
  for (const conversation of touched) inbox.put(withVisitor(conversation, change(conversation.visitor)));
}

export const visitors = {
  changed(visitor: VisitorForOperator): void {
    forEach({ ...visitor, visitor_id: visitor.id }, () => visitor);
  },
  present(person: Person, online: boolean): void {
    forEach(person, (visitor) => ({ ...visitor, online, last_seen_at: Math.max(visitor.last_seen_at, Date.now()) }));
  },
  moved(person: Person, page: Page): void {
    forEach(person, (visitor) => ({ ...visitor, page }));
  },
};
