import { beforeEach, expect, it, vi } from 'vitest';
import { alerts } from '../../src/lib/state/alerts.svelte';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { hearAnswer, hearEvent } from '../../src/lib/state/news';
import { conversation, message } from './make';

beforeEach(() => {
  vi.spyOn(alerts, 'arrived').mockReturnValue();
  inbox.forget();
  inbox.keep(conversation({ last_seq: 1, agent_seen_seq: 1 }));
});

it('what a visitor wrote just before an answer is unread, though the answer is known first', () => {
  hearAnswer(message(3, { from: 'agent' }));
  hearEvent({ kind: 'message_sent', message: message(2) });
  hearEvent({ kind: 'message_sent', message: message(3, { from: 'agent' }) });
  expect(inbox.at(1, 1)).toMatchObject({ last_seq: 3, unread: 1, last_message: { from: 'agent' } });
});

it('an answer that nothing precedes is in the inbox at once', () => {
  hearAnswer(message(2, { from: 'agent' }));
  expect(inbox.at(1, 1)).toMatchObject({ last_seq: 2, unread: 0 });
});
