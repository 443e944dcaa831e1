import type { Inbox, Thread } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { door } from '../../src/lib/api/door';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { sites } from '../../src/lib/state/sites.svelte';
import { conversation, message } from './make';

const page = (change: Partial<Inbox> = {}): Inbox => ({ conversations: [], next: null, counts: { open: 0, unread: 0 }, cursor: 'c1', ...change });

beforeEach(() => {
  vi.restoreAllMocks();
  inbox.forget();
  inbox.view = { tab: 'open', site: null };
  inbox.words = '';
});

it('starts with the first page and its cursor', async () => {
  vi.spyOn(door, 'inbox').mockResolvedValue(page({ conversations: [conversation({ id: 2 })], counts: { open: 7, unread: 3 } }));
  expect(await inbox.start()).toBe('c1');
  expect(inbox.counts).toEqual({ open: 7, unread: 3 });
  expect(inbox.known.size).toBe(1);
});

it('a first unread message raises the number of conversations, the second does not', () => {
  inbox.keep(conversation());
  inbox.counts = { open: 1, unread: 0 };
  inbox.hear({ kind: 'message_sent', message: message(1) });
  inbox.hear({ kind: 'message_sent', message: message(2) });
  expect(inbox.counts).toEqual({ open: 1, unread: 1 });
  inbox.hear({ kind: 'seen', site_id: 1, conversation_id: 1, by: 'agent', seq: 2, unread: 0 });
  expect(inbox.counts).toEqual({ open: 1, unread: 0 });
});

it('closing and reopening moves the count of open ones', () => {
  inbox.keep(conversation());
  inbox.counts = { open: 1, unread: 0 };
  inbox.hear({ kind: 'conversation_changed', conversation: conversation({ state: 'closed' }) });
  expect(inbox.counts.open).toBe(0);
  inbox.hear({ kind: 'conversation_changed', conversation: conversation({ state: 'open' }) });
  expect(inbox.counts.open).toBe(1);
});

it('news of a conversation that no page brought is fetched, once', async () => {
  const thread: Thread = { conversation: conversation({ id: 9, last_seq: 2 }), messages: [], more: false };
  const asked = vi.spyOn(door, 'thread').mockResolvedValue(thread);
  inbox.hear({ kind: 'message_sent', message: message(1, { conversation_id: 9 }) });
  inbox.hear({ kind: 'message_sent', message: message(2, { conversation_id: 9 }) });
  await vi.waitFor(() => expect(inbox.at(1, 9)?.last_seq).toBe(2));
  expect(asked).toHaveBeenCalledTimes(1);
});

it('a resync starts afresh: what the server no longer has is gone', async () => {
  inbox.keep(conversation({ id: 5 }));
  vi.spyOn(door, 'inbox').mockResolvedValue(page({ conversations: [conversation({ id: 6 })], cursor: 'c2' }));
  expect(await inbox.start()).toBe('c2');
  expect([...inbox.known.keys()]).toEqual(['1/6']);
});

it('a page that fails can be asked for again', async () => {
  vi.spyOn(door, 'inbox').mockRejectedValueOnce(new Error('away')).mockResolvedValue(page());
  await inbox.loadMore();
  await inbox.loadMore();
  expect(door.inbox).toHaveBeenCalledTimes(2);
});

it('what somebody new wrote is counted on its site as well', async () => {
  vi.useFakeTimers();
  vi.spyOn(door, 'inbox').mockResolvedValue(page({ counts: { open: 1, unread: 1 } }));
  const heard = vi.spyOn(sites, 'hear').mockResolvedValue(true);
  for (const id of [1, 2]) inbox.hear({ kind: 'conversation_changed', conversation: conversation({ id, last_seq: 1, unread: 1 }) });
  // One after the other, faster than it is counted: it is counted all the same, and once.
  for (let id = 3; id < 6; id += 1) {
    await vi.advanceTimersByTimeAsync(100);
    inbox.hear({ kind: 'conversation_changed', conversation: conversation({ id, last_seq: 1, unread: 1 }) });
  }
  vi.useRealTimers();
  expect(heard.mock.calls).toEqual([[1]]);
  expect(inbox.counts).toEqual({ open: 1, unread: 1 });
});
