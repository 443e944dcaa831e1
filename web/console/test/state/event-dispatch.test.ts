import { beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { alerts } from '../../src/lib/state/alerts.svelte';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { applySentMessage, applyEvent, markSeen, receipts } from '../../src/lib/state/event-dispatch';
import { sites } from '../../src/lib/state/sites.svelte';
import { conversation, message } from './builders';

beforeEach(() => {
  vi.restoreAllMocks();
  let moment = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (moment += 1));
  receipts.clear();
  vi.spyOn(alerts, 'messageReceived').mockReturnValue();
  inbox.clear();
  inbox.merge(conversation({ last_seq: 1, agent_seen_seq: 1 }));
});

it('a visitor’s message just before a reply is unread, although the reply is known first', () => {
  applySentMessage(message(3, { from: 'agent' }));
  applyEvent({ kind: 'message_sent', message: message(2) });
  applyEvent({ kind: 'message_sent', message: message(3, { from: 'agent' }) });
  expect(inbox.get(1, 1)).toMatchObject({ last_seq: 3, unread: 1, last_message: { from: 'agent' } });
});

it('a reply without a preceding message is in the inbox at once', () => {
  applySentMessage(message(2, { from: 'agent' }));
  expect(inbox.get(1, 1)).toMatchObject({ last_seq: 2, unread: 0 });
});

it('counts received while a receipt was in flight are fetched again once the server confirms it', async () => {
  const recounted = vi.spyOn(inbox, 'scheduleRecount').mockReturnValue();
  const seen = { kind: 'seen', by: 'agent', site_id: 1, conversation_id: 1, seq: 2, unread: 0 } as const;
  applyEvent({ kind: 'message_sent', message: message(2) });
  markSeen(1, 1, 2);
  vi.spyOn(api, 'mySites').mockResolvedValue({ sites: [] });
  await sites.load();
  expect(recounted).not.toHaveBeenCalled();
  applyEvent(seen);
  expect(recounted.mock.calls).toEqual([[1]]);
  // Read in another console: no recount is needed here.
  applyEvent(seen);
  expect(recounted).toHaveBeenCalledTimes(1);
});

it('a receipt without counts in the meantime causes no request', async () => {
  const recounted = vi.spyOn(inbox, 'scheduleRecount').mockReturnValue();
  vi.spyOn(api, 'mySites').mockResolvedValue({ sites: [] });
  await sites.load();
  applyEvent({ kind: 'message_sent', message: message(2) });
  markSeen(1, 1, 2);
  applyEvent({ kind: 'seen', by: 'agent', site_id: 1, conversation_id: 1, seq: 2, unread: 0 });
  expect(recounted).not.toHaveBeenCalled();
});
