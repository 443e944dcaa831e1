import { beforeEach, expect, it, vi } from 'vitest';
import { door } from '../../src/lib/api/door';
import { alerts } from '../../src/lib/state/alerts.svelte';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { hearAnswer, hearEvent, markSeen, receipts } from '../../src/lib/state/news';
import { sites } from '../../src/lib/state/sites.svelte';
import { conversation, message } from './make';

beforeEach(() => {
  vi.restoreAllMocks();
  let moment = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (moment += 1));
  receipts.forget();
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

it('what was counted while a mark was on its way is counted anew when the server has it', async () => {
  const recounted = vi.spyOn(inbox, 'recountSoon').mockReturnValue();
  const seen = { kind: 'seen', by: 'agent', site_id: 1, conversation_id: 1, seq: 2, unread: 0 } as const;
  hearEvent({ kind: 'message_sent', message: message(2) });
  markSeen(1, 1, 2);
  vi.spyOn(door, 'mySites').mockResolvedValue({ sites: [] });
  await sites.load();
  expect(recounted).not.toHaveBeenCalled();
  hearEvent(seen);
  expect(recounted.mock.calls).toEqual([[1]]);
  // Seen in another console: its own news.
  hearEvent(seen);
  expect(recounted).toHaveBeenCalledTimes(1);
});

it('a mark during which nothing was counted costs no question', async () => {
  const recounted = vi.spyOn(inbox, 'recountSoon').mockReturnValue();
  vi.spyOn(door, 'mySites').mockResolvedValue({ sites: [] });
  await sites.load();
  hearEvent({ kind: 'message_sent', message: message(2) });
  markSeen(1, 1, 2);
  hearEvent({ kind: 'seen', by: 'agent', site_id: 1, conversation_id: 1, seq: 2, unread: 0 });
  expect(recounted).not.toHaveBeenCalled();
});
