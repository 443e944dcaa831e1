import type { People } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { applyEvent, applySignal } from '../../src/lib/state/event-dispatch';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { people } from '../../src/lib/state/search.svelte';
import { conversation, visitor } from './builders';

const page = (ids: number[], next: string | null = null): People => ({
  conversations: ids.map((id) => conversation({ id, state: 'closed', updated_at: 5 })),
  next,
  indexing: false,
});

beforeEach(() => {
  vi.restoreAllMocks();
  vi.useFakeTimers();
  inbox.clear();
  people.clear();
});

it('finds people outside the loaded lists without changing the lists', async () => {
  vi.spyOn(api, 'people').mockResolvedValueOnce(page([8, 3], '3')).mockResolvedValueOnce(page([1]));
  people.setQuery('søren', 2);
  await vi.runAllTimersAsync();
  people.loadMore();
  await vi.runAllTimersAsync();
  expect(people.results.map(({ id }) => id)).toEqual([8, 3, 1]);
  expect(api.people).toHaveBeenLastCalledWith({ q: 'søren', site: 2, before: '3' });
  expect(inbox.get(1, 3)?.state).toBe('closed');
  expect(inbox.rows).toEqual([]);
});

it('events of somebody who claims the same id with another proof do not change the real person', () => {
  const vera = visitor({ proof: 'signed', claimed: false, nickname: 'Vera', anonymous: false });
  const mallory = visitor({ proof: 'browser:m', nickname: 'Mallory', anonymous: false });
  const before = inbox.merge(conversation({ id: 1, visitor: vera, verified: true }));
  inbox.merge(conversation({ id: 2, visitor: mallory }));
  const person = { site_id: 1, visitor_id: 10, proof: 'browser:m' };
  applySignal({ kind: 'presence', ...person, online: true });
  applySignal({ kind: 'page', ...person, page: { url: 'https://evil.example/', title: 'Log in', referrer: '', since: 0 } });
  applyEvent({ kind: 'visitor_changed', visitor: { ...mallory, nickname: 'Vera' } });
  expect(inbox.get(1, 1)).toBe(before);
  expect(inbox.get(1, 2)?.visitor.nickname).toBe('Vera');
});
