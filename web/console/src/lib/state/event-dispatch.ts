// Dispatches every event and signal from the server to the state that it concerns.
import type { MessageForOperator, OperatorEvent, OperatorHint, OperatorSignal } from '@ocs/protocol/wire';
import { alerts } from './alerts.svelte';
import { colleagues } from './colleagues.svelte';
import { type ConversationKey, keyOfMessage } from './conversation-events';
import { inbox } from './inbox.svelte';
import { invitations } from './invitations.svelte';
import { members } from './members.svelte';
import { outbox } from './outbox.svelte';
import { Receipts } from './receipts';
import { sites } from './sites.svelte';
import { threads } from './thread.svelte';
import { typing } from './typing.svelte';
import { visitors } from './visitors';

let sendHint: (hint: OperatorHint) => void = () => {};

export const receipts = Object.assign(new Receipts((hint) => sendHint(hint)), {
  sendVia(send: (hint: OperatorHint) => void) {
    sendHint = send;
  },
});

export function applyEvent(event: OperatorEvent): void {
  switch (event.kind) {
    case 'message_sent':
      return applyMessage(event.message);
    case 'conversation_changed':
      return inbox.apply(event);
    case 'delivered':
    case 'seen':
      if (event.by === 'agent') {
        const queuedSince = receipts.confirm(event.kind, keyOfMessage(event), event.seq);
        if (event.kind === 'seen') {
          alerts.withdraw(event.site_id, event.conversation_id);
          // The server's count did not include a receipt that was still being sent.
          if (queuedSince !== null && queuedSince <= sites.unreadCountedAt) inbox.scheduleRecount(event.site_id);
        }
      }
      return inbox.apply(event);
    case 'visitor_changed':
      return visitors.update(event.visitor);
    case 'site_changed':
      return void applySiteChange(event.site_id);
  }
}

async function applySiteChange(site: number): Promise<void> {
  try {
    if (!(await sites.refetch(site))) inbox.removeSite(site);
  } catch {
    // The next reload includes it.
  }
}

export function applyMessage(message: MessageForOperator): void {
  // Not by last_seq: a conversation snapshot that arrives before a message already counts that message.
  const acknowledged = inbox.get(message.site_id, message.conversation_id)?.agent_delivered_seq ?? 0;
  inbox.apply({ kind: 'message_sent', message });
  show(message);
  if (message.from === 'agent' || message.seq <= acknowledged) return;
  const key: ConversationKey = keyOfMessage(message);
  typing.stop(key);
  if (receipts.queue('delivered', key, message.seq)) alerts.messageReceived(message);
}

/** Applies the response to a message that was sent here, perhaps before another workspace was chosen. If a visitor wrote just before it, the inbox waits for the connection, which delivers both in order. */
export function applySentMessage(message: MessageForOperator): void {
  const last = inbox.get(message.site_id, message.conversation_id)?.last_seq;
  const isElsewhere = last === undefined && !sites.byId(message.site_id);
  if (!isElsewhere && (last === undefined || message.seq <= last + 1)) applyMessage(message);
  else show(message);
}

/** Shows a message in its thread and removes it from the outbox. */
function show(message: MessageForOperator): void {
  threads.append(message);
  if (message.client_id) outbox.acknowledge(message.client_id);
}

/** Acknowledges as delivered what arrived while no console was open. */
export function acknowledgeInbox(): void {
  for (const [key, { last_seq, agent_delivered_seq }] of inbox.conversations) {
    if (last_seq > agent_delivered_seq) receipts.queue('delivered', key, last_seq);
  }
}

export function applySignal(signal: OperatorSignal): void {
  switch (signal.kind) {
    case 'typing':
      return typing.start(keyOfMessage(signal));
    case 'presence':
      return visitors.setOnline(signal, signal.online);
    case 'page':
      return visitors.setPage(signal, signal.page);
    case 'member_online':
      return members.setOnline(signal.account_id, signal.online);
    case 'team_changed':
      return void reloadTeam();
    case 'viewing':
      return colleagues.show(signal);
    case 'left':
      return colleagues.hide(signal);
  }
}

/** Loads the members, whose photos every page shows, and the open invitations if a page has shown them. */
export async function reloadTeam(): Promise<void> {
  // What fails is loaded again with the next connection; the Team page says so and offers it.
  await Promise.allSettled([members.load(), invitations.reload()]);
}

/** Marks a thread as read down to `seq`. */
export function markSeen(site: number, id: number, seq: number): void {
  const known = inbox.get(site, id);
  if (!known || known.agent_seen_seq >= seq) return;
  receipts.queue('seen', `${site}/${id}`, seq);
  alerts.withdraw(site, id);
  const unread = seq >= known.last_seq ? 0 : known.unread;
  inbox.apply({ kind: 'seen', by: 'agent', site_id: site, conversation_id: id, seq, unread });
}
