import type { ConversationForOperator as Conversation, Page, VisitorForOperator } from '@ocs/protocol/wire';
import { isOf, withVisitor } from './conversation-events';
import { inbox } from './inbox.svelte';

/** News of a visitor goes to each of its conversations that we know. */
function forEach(site: number, id: number, change: (visitor: VisitorForOperator) => VisitorForOperator): void {
  const touched: Conversation[] = [];
  for (const conversation of inbox.known.values()) {
    if (isOf(conversation, { site_id: site, id })) touched.push(conversation);
  }
  for (const conversation of touched) inbox.put(withVisitor(conversation, change(conversation.visitor)));
}

export const visitors = {
  changed(visitor: VisitorForOperator): void {
    forEach(visitor.site_id, visitor.id, () => visitor);
  },
  present(site: number, id: number, online: boolean): void {
    forEach(site, id, (visitor) => ({ ...visitor, online, last_seen_at: Math.max(visitor.last_seen_at, Date.now()) }));
  },
  moved(site: number, id: number, page: Page): void {
    forEach(site, id, (visitor) => ({ ...visitor, page }));
  },
};
