import type { Inbox, Thread } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { sites } from '../../src/lib/state/sites.svelte';
import { conversation, message } from './builders';

const page = (change: Partial<Inbox> = {}): Inbox => ({ conversations: [], next: null, counts: { open: 0, unread: 0 }, cursor: 'c1', ...change });

beforeEach(() => {
  vi.restoreAllMocks();
  inbox.clear();
  inbox.view = { tab: 'open', site: null };
  inbox.query = '';
});

it('starts with the first page and its cursor', async () => {
  vi.spyOn(api, 'inbox').mockResolvedValue(page({ conversations: [conversation({ id: 2 })], counts: { open: 7, unread: 3 } }));
  expect(await inbox.start()).toBe('c1');
  expect(inbox.counts).toEqual({ open: 7, unread: 3 });
  expect(inbox.conversations.size).toBe(1);
});

it('a first unread message raises the number of conversations, the second does not', () => {
  inbox.merge(conversation());
  inbox.counts = { open: 1, unread: 0 };
  inbox.apply({ kind: 'message_sent', message: message(1) });
  inbox.apply({ kind: 'message_sent', message: message(2) });
  expect(inbox.counts).toEqual({ open: 1, unread: 1 });
  inbox.apply({ kind: 'seen', site_id: 1, conversation_id: 1, by: 'agent', seq: 2, unread: 0 });
  expect(inbox.counts).toEqual({ open: 1, unread: 0 });
});

it('closing and reopening changes the open count', () => {
  inbox.merge(conversation());
  inbox.counts = { open: 1, unread: 0 };
  inbox.apply({ kind: 'conversation_changed', conversation: conversation({ state: 'closed' }) });
  expect(inbox.counts.open).toBe(0);
  inbox.apply({ kind: 'conversation_changed', conversation: conversation({ state: 'open' }) });
  expect(inbox.counts.open).toBe(1);
});

it('a conversation that an event mentions and no page contained is fetched once', async () => {
  const thread: Thread = { conversation: conversation({ id: 9, last_seq: 2 }), messages: [], more: false };
  const asked = vi.spyOn(api, 'thread').mockResolvedValue(thread);
  inbox.apply({ kind: 'message_sent', message: message(1, { conversation_id: 9 }) });
  inbox.apply({ kind: 'message_sent', message: message(2, { conversation_id: 9 }) });
  await vi.waitFor(() => expect(inbox.get(1, 9)?.last_seq).toBe(2));
  expect(asked).toHaveBeenCalledTimes(1);
});

it('a resync starts over: conversations that the server no longer has disappear', async () => {
  inbox.merge(conversation({ id: 5 }));
  vi.spyOn(api, 'inbox').mockResolvedValue(page({ conversations: [conversation({ id: 6 })], cursor: 'c2' }));
  expect(await inbox.start()).toBe('c2');
  expect([...inbox.conversations.keys()]).toEqual(['1/6']);
});

it('a failed page can be retried', async () => {
  vi.spyOn(api, 'inbox').mockRejectedValueOnce(new Error('away')).mockResolvedValue(page());
  await inbox.loadMore();
  await inbox.loadMore();
  expect(api.inbox).toHaveBeenCalledTimes(2);
});

it('a message of a new visitor also updates the count of its site', async () => {
  vi.useFakeTimers();
  vi.spyOn(api, 'inbox').mockResolvedValue(page({ counts: { open: 1, unread: 1 } }));
  const heard = vi.spyOn(sites, 'refetch').mockResolvedValue(true);
  for (const id of [1, 2]) inbox.apply({ kind: 'conversation_changed', conversation: conversation({ id, last_seq: 1, unread: 1 }) });
  // Events in quicker succession than the recount delay still cause exactly one recount.
  for (let id = 3; id < 6; id += 1) {
    await vi.advanceTimersByTimeAsync(100);
    inbox.apply({ kind: 'conversation_changed', conversation: conversation({ id, last_seq: 1, unread: 1 }) });
  }
  vi.useRealTimers();
  expect(heard.mock.calls).toEqual([[1]]);
  expect(inbox.counts).toEqual({ open: 1, unread: 1 });
});
