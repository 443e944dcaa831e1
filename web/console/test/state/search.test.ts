import type { Found } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { search } from '../../src/lib/state/search.svelte';
import { visitor } from './builders';

const page = (seqs: number[], next: string | null = null): Found => ({
  messages: seqs.map((seq) => ({ site_id: 1, conversation_id: 1, seq, from: 'visitor', name: null, visitor: visitor(), line: [], at: seq })),
  next,
  indexing: false,
});
const seqs = () => search.results.map((message) => message.seq);

beforeEach(() => {
  vi.restoreAllMocks();
  vi.useFakeTimers();
  search.clear();
});

it('sends one request for text typed without a pause', async () => {
  const ask = vi.spyOn(api, 'search').mockResolvedValue(page([3, 1]));
  for (const words of ['l', 'la', 'lamp', 'lamp ']) search.setQuery(words, null);
  expect(search.loading).toBe(true);
  await vi.runAllTimersAsync();
  expect(ask.mock.calls).toEqual([[{ q: 'lamp' }]]);
  expect([seqs(), search.loading, search.next]).toEqual([[3, 1], false, null]);
});

it('continues through pages without results', async () => {
  const ask = vi.spyOn(api, 'search').mockResolvedValueOnce(page([], '900')).mockResolvedValueOnce(page([7], '500')).mockResolvedValueOnce(page([2]));
  search.setQuery('lamp', 5);
  await vi.runAllTimersAsync();
  expect(seqs()).toEqual([7]);
  search.loadMore();
  await vi.runAllTimersAsync();
  expect(seqs()).toEqual([7, 2]);
  expect(ask.mock.calls.map(([query]) => query.before)).toEqual([undefined, '900', '500']);
  search.loadMore();
  expect(ask).toHaveBeenCalledTimes(3);
});

it('a response to an outdated query is dropped', async () => {
  let late = (_: Found) => {};
  vi.spyOn(api, 'search').mockImplementationOnce(() => new Promise((resolve) => (late = resolve))).mockResolvedValueOnce(page([2]));
  search.setQuery('lamp', null);
  await vi.runAllTimersAsync();
  search.setQuery('table', null);
  await vi.runAllTimersAsync();
  late(page([1], '1'));
  await vi.runAllTimersAsync();
  expect([seqs(), search.next, search.loading]).toEqual([[2], null, false]);
  search.setQuery('', null);
  expect([seqs(), search.loading]).toEqual([[], false]);
});

it('a failed page is retried from the same position', async () => {
  const ask = vi.spyOn(api, 'search').mockResolvedValueOnce(page([9], '9')).mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce(page([4]));
  search.setQuery('lamp', null);
  await vi.runAllTimersAsync();
  search.loadMore();
  await vi.runAllTimersAsync();
  expect(search.failed).toBeInstanceOf(Error);
  search.loadMore();
  await vi.runAllTimersAsync();
  expect([seqs(), search.failed, ask.mock.calls[2]]).toEqual([[9, 4], null, [{ q: 'lamp', before: '9' }]]);
});
