import type { People } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { door } from '../../src/lib/api/door';
import { hearEvent, hearSignal } from '../../src/lib/state/news';
import { inbox } from '../../src/lib/state/inbox.svelte';
import { people } from '../../src/lib/state/search.svelte';
import { conversation, visitor } from './make';

const page = (ids: number[], next: string | null = null): People => ({
  conversations: ids.map((id) => conversation({ id, state: 'closed', updated_at: 5 })),
  next,
  indexing: false,
});

beforeEach(() => {
  vi.restoreAllMocks();
  vi.useFakeTimers();
  inbox.forget();
  people.forget();
});

it('finds who is in no list that was loaded, and the lists stay as they are', async () => {
  vi.spyOn(door, 'people').mockResolvedValueOnce(page([8, 3], '3')).mockResolvedValueOnce(page([1]));
  people.look('søren', 2);
  await vi.runAllTimersAsync();
  people.more();
  await vi.runAllTimersAsync();
  expect(people.found.map(({ id }) => id)).toEqual([8, 3, 1]);
  expect(door.people).toHaveBeenLastCalledWith({ q: 'søren', site: 2, before: '3' });
  expect(inbox.at(1, 3)?.state).toBe('closed');
  expect(inbox.shown).toEqual([]);
});

it('news of somebody who claims the same id with another proof changes nothing of who is meant', () => {
  const vera = visitor({ proof: 'signed', claimed: false, nickname: 'Vera', anonymous: false });
  const mallory = visitor({ proof: 'browser:m', nickname: 'Mallory', anonymous: false });
  const before = inbox.keep(conversation({ id: 1, visitor: vera, verified: true }));
  inbox.keep(conversation({ id: 2, visitor: mallory }));
  const person = { site_id: 1, visitor_id: 10, proof: 'browser:m' };
  hearSignal({ kind: 'presence', ...person, online: true });
  hearSignal({ kind: 'page', ...person, page: { url: 'https://evil.example/', title: 'Log in', referrer: '', since: 0 } });
  hearEvent({ kind: 'visitor_changed', visitor: { ...mallory, nickname: 'Vera' } });
  expect(inbox.at(1, 1)).toBe(before);
  expect(inbox.at(1, 2)?.visitor.nickname).toBe('Vera');
});
