// Which conversations each inbox tab shows, and in what order.
import type { ConversationForOperator as Conversation } from '@ocs/protocol/wire';
import type { InboxQuery } from '$lib/api/console-api';

export type Tab = 'open' | 'unread' | 'closed';
export type View = { tab: Tab; site: number | null };

export function viewKey(view: View): string {
  return `${view.tab}:${view.site ?? 'all'}`;
}

export function viewQuery(view: View, before: string | null): InboxQuery {
  return {
    state: view.tab === 'unread' ? 'all' : view.tab,
    ...(view.tab === 'unread' ? { unread: true as const } : {}),
    ...(view.site === null ? {} : { site: view.site }),
    ...(before === null ? {} : { before }),
    limit: 50,
  };
}

export function isInView(conversation: Conversation, view: View): boolean {
  if (view.site !== null && conversation.site_id !== view.site) return false;
  return view.tab === 'unread' ? conversation.unread > 0 : conversation.state === view.tab;
}

export function newestFirst(a: Conversation, b: Conversation): number {
  return b.updated_at - a.updated_at || b.site_id - a.site_id || b.id - a.id;
}

/** Since when the visitor has been waiting for a reply: the time of their last message, if it is the last one and the conversation is open. */
export function waitingSince(conversation: Conversation): number | null {
  const { state, last_message } = conversation;
  return state === 'open' && last_message?.from === 'visitor' ? last_message.at : null;
}
