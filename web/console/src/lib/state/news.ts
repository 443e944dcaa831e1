// One place hears everything that comes down and hands it to whom it concerns.
import type { MessageForOperator, OperatorEvent, OperatorHint, OperatorSignal } from '@ocs/protocol/wire';
import { alerts } from './alerts.svelte';
import { type Key, keyOfMessage } from './conversation-events';
import { inbox } from './inbox.svelte';
import { outbox } from './outbox.svelte';
import { Receipts } from './receipts';
import { sites } from './sites.svelte';
import { threads } from './thread.svelte';
import { typing } from './typing.svelte';
import { visitors } from './visitors';

let carry: (hint: OperatorHint) => void = () => {};

export const receipts = Object.assign(new Receipts((hint) => carry(hint)), {
  carryBy(line: (hint: OperatorHint) => void) {
    carry = line;
  },
});

export function hearEvent(event: OperatorEvent): void {
  switch (event.kind) {
    case 'message_sent':
      return hearMessage(event.message);
    case 'conversation_changed':
      return inbox.hear(event);
    case 'delivered':
    case 'seen':
      if (event.by === 'agent') {
        const since = receipts.confirm(event.kind, keyOfMessage(event), event.seq);
        if (event.kind === 'seen') {
          alerts.withdraw(event.site_id, event.conversation_id);
          // What the server counted while the mark was on its way did not know of it.
          if (since !== null && since <= sites.countedAt) inbox.recountSoon(event.site_id);
        }
      }
      return inbox.hear(event);
    case 'visitor_changed':
      return visitors.changed(event.visitor);
    case 'site_changed':
      return void hearOfSite(event.site_id);
  }
}

async function hearOfSite(site: number): Promise<void> {
  try {
    if (!(await sites.hear(site))) inbox.dropSite(site);
  } catch {
    // The next reload brings it.
  }
}

export function hearMessage(message: MessageForOperator): void {
  // Not by its last_seq: the copy of a conversation that comes before a message counts that message already.
  const acknowledged = inbox.at(message.site_id, message.conversation_id)?.agent_delivered_seq ?? 0;
  inbox.hear({ kind: 'message_sent', message });
  show(message);
  if (message.from === 'agent' || message.seq <= acknowledged) return;
  const key: Key = keyOfMessage(message);
  typing.stop(key);
  if (receipts.owe('delivered', key, message.seq)) alerts.arrived(message);
}

/** The answer to what was sent here. Where a visitor wrote just before it, the inbox waits for the line, which brings both in order. */
export function hearAnswer(message: MessageForOperator): void {
  const last = inbox.at(message.site_id, message.conversation_id)?.last_seq;
  if (last === undefined || message.seq <= last + 1) hearMessage(message);
  else show(message);
}

/** In its thread, and no longer waiting to be sent. */
function show(message: MessageForOperator): void {
  threads.hear(message);
  if (message.client_id) outbox.arrived(message.client_id);
}

/** What came while no console was open has been delivered now. */
export function acknowledgeInbox(): void {
  for (const [key, { last_seq, agent_delivered_seq }] of inbox.known) {
    if (last_seq > agent_delivered_seq) receipts.owe('delivered', key, last_seq);
  }
}

export function hearSignal(signal: OperatorSignal): void {
  switch (signal.kind) {
    case 'typing':
      return typing.hear(keyOfMessage(signal));
    case 'presence':
      return visitors.present(signal, signal.online);
    case 'page':
      return visitors.moved(signal, signal.page);
  }
}

/** The thread is on screen and in focus down to `seq`. */
export function markSeen(site: number, id: number, seq: number): void {
  const known = inbox.at(site, id);
  if (!known || known.agent_seen_seq >= seq) return;
  receipts.owe('seen', `${site}/${id}`, seq);
  alerts.withdraw(site, id);
  const unread = seq >= known.last_seq ? 0 : known.unread;
  inbox.hear({ kind: 'seen', by: 'agent', site_id: site, conversation_id: id, seq, unread });
}
