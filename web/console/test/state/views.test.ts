import { expect, it } from 'vitest';
import { belongs, newestFirst, queryOf, waitingSince } from '../../src/lib/state/views';
import { conversation } from './make';

it('each tab shows its own', () => {
  const closedUnread = conversation({ state: 'closed', unread: 1 });
  expect(belongs(closedUnread, { tab: 'open', site: null })).toBe(false);
  expect(belongs(closedUnread, { tab: 'closed', site: null })).toBe(true);
  expect(belongs(closedUnread, { tab: 'unread', site: null })).toBe(true);
  expect(belongs(closedUnread, { tab: 'unread', site: 2 })).toBe(false);
});

it('asks the door for what it shows', () => {
  expect(queryOf({ tab: 'unread', site: 3 }, 'p')).toEqual({ state: 'all', unread: true, site: 3, before: 'p', limit: 50 });
  expect(queryOf({ tab: 'open', site: null }, null)).toEqual({ state: 'open', limit: 50 });
});

it('newest comes first and ties keep one order', () => {
  const rows = [conversation({ id: 1, updated_at: 5 }), conversation({ id: 2, updated_at: 9 }), conversation({ id: 3, updated_at: 5 })];
  expect(rows.sort(newestFirst).map((row) => row.id)).toEqual([2, 3, 1]);
});

it('someone waits while the last word is theirs', () => {
  const said = (from: 'visitor' | 'agent') => ({ from, text: '', image: false, at: 7 });
  expect(waitingSince(conversation({ last_message: said('visitor') }))).toBe(7);
  expect(waitingSince(conversation({ last_message: said('agent') }))).toBe(null);
  expect(waitingSince(conversation({ last_message: said('visitor'), state: 'closed' }))).toBe(null);
});
