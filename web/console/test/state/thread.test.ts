import type { Thread as Page } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { Thread } from '../../src/lib/state/thread.svelte';
import { conversation, message } from './builders';

const page = (from: number, to: number, more = false): Page => ({
  conversation: conversation({ last_seq: to }),
  messages: Array.from({ length: to - from + 1 }, (_, i) => message(from + i)),
  more,
});
const seqs = (thread: Thread) => thread.messages.map((each) => each.seq);

beforeEach(() => {
  vi.restoreAllMocks();
});

it('older pages go above', async () => {
  vi.spyOn(api, 'thread').mockResolvedValueOnce(page(4, 6, true)).mockResolvedValueOnce(page(1, 3));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.loadOlder();
  expect(seqs(thread)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(thread.more).toBe(false);
});

it('a message received twice appears once', async () => {
  vi.spyOn(api, 'thread').mockResolvedValue(page(1, 2));
  const thread = new Thread(1, 1);
  await thread.load();
  thread.append(message(3));
  thread.append(message(3));
  expect(seqs(thread)).toEqual([1, 2, 3]);
});

it('a gap is filled from the server', async () => {
  vi.spyOn(api, 'thread').mockResolvedValueOnce(page(1, 2)).mockResolvedValueOnce(page(1, 5));
  const thread = new Thread(1, 1);
  await thread.load();
  thread.append(message(5));
  await vi.waitFor(() => expect(seqs(thread)).toEqual([1, 2, 3, 4, 5]));
});

it('a reload that does not overlap the loaded messages replaces them', async () => {
  vi.spyOn(api, 'thread').mockResolvedValueOnce(page(1, 3)).mockResolvedValueOnce(page(60, 62, true));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.load();
  expect(seqs(thread)).toEqual([60, 61, 62]);
  expect(thread.more).toBe(true);
});

it('after a resync old messages are discarded', async () => {
  vi.spyOn(api, 'thread').mockResolvedValueOnce(page(1, 5)).mockResolvedValueOnce(page(1, 2));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.load(true);
  expect(seqs(thread)).toEqual([1, 2]);
});

it('far from the end new messages are not appended; scrolling down loads them', async () => {
  const from = (before: number) => page(Math.max(1, before - 50), before - 1, before > 51);
  vi.spyOn(api, 'thread').mockImplementation(async (_site, _id, before = 601) => ({ ...from(Math.min(before, 601)), conversation: conversation({ last_seq: 600 }) }));
  const thread = new Thread(1, 1);
  await thread.load();
  for (let turn = 0; turn < 9; turn++) await thread.loadOlder();
  expect([thread.messages.length, thread.messages[0]?.seq, thread.newer]).toEqual([400, 101, true]);
  thread.append(message(601));
  expect(thread.messages.at(-1)?.seq).toBe(500);
  await thread.loadNewer();
  await thread.loadNewer();
  expect([thread.messages.length, thread.messages.at(-1)?.seq, thread.newer, thread.more]).toEqual([400, 600, false, true]);
});

it('goTo finds a message among the loaded ones or loads a page around it', async () => {
  const last = conversation({ last_seq: 600 });
  const ask = vi.spyOn(api, 'thread').mockImplementation(async (_site, _id, before = 601) => ({ ...page(Math.max(1, before - 50), Math.min(600, before - 1), before > 51), conversation: last }));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.goTo(570);
  expect([ask.mock.calls.length, thread.target?.seq]).toEqual([1, 570]);
  await thread.goTo(300);
  expect([seqs(thread)[0], seqs(thread).at(-1), thread.more, thread.newer]).toEqual([275, 324, true, true]);
  thread.append(message(601));
  expect(seqs(thread).at(-1)).toBe(324);
  await thread.reload();
  expect(seqs(thread)[0]).toBe(275);
  await thread.goTo(3);
  expect([seqs(thread)[0], thread.more, thread.newer]).toEqual([1, false, true]);
  await thread.load(true);
  expect([seqs(thread).at(-1), thread.newer, thread.target]).toEqual([600, false, null]);
});

it('a response to a request from before goTo is dropped', async () => {
  let late = (_: Page) => {};
  vi.spyOn(api, 'thread').mockImplementationOnce(() => new Promise((resolve) => (late = resolve))).mockResolvedValueOnce({ ...page(1, 40), conversation: conversation({ last_seq: 99 }) });
  const thread = new Thread(1, 1);
  const loading = thread.load();
  await thread.goTo(15);
  late(page(50, 99, true));
  await loading;
  expect([seqs(thread).at(-1), thread.newer, thread.loading]).toEqual([40, true, false]);
});
