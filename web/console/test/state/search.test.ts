import type { Found } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { door } from '../../src/lib/api/door';
import { search } from '../../src/lib/state/search.svelte';
import { visitor } from './make';

const page = (seqs: number[], next: string | null = null): Found => ({
  messages: seqs.map((seq) => ({ site_id: 1, conversation_id: 1, seq, from: 'visitor', name: null, visitor: visitor(), line: [], at: seq })),
  next,
  indexing: false,
});
const seqs = () => search.found.map((message) => message.seq);

beforeEach(() => {
  vi.restoreAllMocks();
  vi.useFakeTimers();
  search.forget();
});

it('asks once for what was typed in one go', async () => {
  const ask = vi.spyOn(door, 'search').mockResolvedValue(page([3, 1]));
  for (const words of ['l', 'la', 'lamp', 'lamp ']) search.look(words, null);
  expect(search.loading).toBe(true);
  await vi.runAllTimersAsync();
  expect(ask.mock.calls).toEqual([[{ q: 'lamp' }]]);
  expect([seqs(), search.loading, search.next]).toEqual([[3, 1], false, null]);
});

it('looks further back through pages in which nothing was found', async () => {
  const ask = vi.spyOn(door, 'search').mockResolvedValueOnce(page([], '900')).mockResolvedValueOnce(page([7], '500')).mockResolvedValueOnce(page([2]));
  search.look('lamp', 5);
  await vi.runAllTimersAsync();
  expect(seqs()).toEqual([7]);
  search.more();
  await vi.runAllTimersAsync();
  expect(seqs()).toEqual([7, 2]);
  expect(ask.mock.calls.map(([query]) => query.before)).toEqual([undefined, '900', '500']);
  search.more();
  expect(ask).toHaveBeenCalledTimes(3);
});

it('an answer to what is no longer asked is dropped', async () => {
  let late = (_: Found) => {};
  vi.spyOn(door, 'search').mockImplementationOnce(() => new Promise((resolve) => (late = resolve))).mockResolvedValueOnce(page([2]));
  search.look('lamp', null);
  await vi.runAllTimersAsync();
  search.look('table', null);
  await vi.runAllTimersAsync();
  late(page([1], '1'));
  await vi.runAllTimersAsync();
  expect([seqs(), search.next, search.loading]).toEqual([[2], null, false]);
  search.look('', null);
  expect([seqs(), search.loading]).toEqual([[], false]);
});

it('what failed is asked again where it failed', async () => {
  const ask = vi.spyOn(door, 'search').mockResolvedValueOnce(page([9], '9')).mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce(page([4]));
  search.look('lamp', null);
  await vi.runAllTimersAsync();
  search.more();
  await vi.runAllTimersAsync();
  expect(search.failed).toBeInstanceOf(Error);
  search.more();
  await vi.runAllTimersAsync();
  expect([seqs(), search.failed, ask.mock.calls[2]]).toEqual([[9, 4], null, [{ q: 'lamp', before: '9' }]]);
});
