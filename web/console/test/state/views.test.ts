import { expect, it } from 'vitest';
import { isInView, newestFirst, viewQuery, waitingSince } from '../../src/lib/state/views';
import { conversation } from './builders';

it('each tab shows its own conversations', () => {
  const closedUnread = conversation({ state: 'closed', unread: 1 });
  expect(isInView(closedUnread, { tab: 'open', site: null })).toBe(false);
  expect(isInView(closedUnread, { tab: 'closed', site: null })).toBe(true);
  expect(isInView(closedUnread, { tab: 'unread', site: null })).toBe(true);
  expect(isInView(closedUnread, { tab: 'unread', site: 2 })).toBe(false);
});

it('each view has its query', () => {
  expect(viewQuery({ tab: 'unread', site: 3 }, 'p')).toEqual({ state: 'all', unread: true, site: 3, before: 'p', limit: 50 });
  expect(viewQuery({ tab: 'open', site: null }, null)).toEqual({ state: 'open', limit: 50 });
});

it('the newest comes first and ties have a stable order', () => {
  const rows = [conversation({ id: 1, updated_at: 5 }), conversation({ id: 2, updated_at: 9 }), conversation({ id: 3, updated_at: 5 })];
  expect(rows.sort(newestFirst).map((row) => row.id)).toEqual([2, 3, 1]);
});

it('a visitor is waiting while the last message is theirs', () => {
  const said = (from: 'visitor' | 'agent') => ({ from, text: '', image: false, at: 7 });
  expect(waitingSince(conversation({ last_message: said('visitor') }))).toBe(7);
  expect(waitingSince(conversation({ last_message: said('agent') }))).toBe(null);
  expect(waitingSince(conversation({ last_message: said('visitor'), state: 'closed' }))).toBe(null);
});
