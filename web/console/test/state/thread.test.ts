import type { Thread as Page } from '@ocs/protocol/wire';
import { beforeEach, expect, it, vi } from 'vitest';
import { door } from '../../src/lib/api/door';
import { Thread } from '../../src/lib/state/thread.svelte';
import { conversation, message } from './make';

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
  vi.spyOn(door, 'thread').mockResolvedValueOnce(page(4, 6, true)).mockResolvedValueOnce(page(1, 3));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.loadOlder();
  expect(seqs(thread)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(thread.more).toBe(false);
});

it('a message heard twice is there once', async () => {
  vi.spyOn(door, 'thread').mockResolvedValue(page(1, 2));
  const thread = new Thread(1, 1);
  await thread.load();
  thread.hear(message(3));
  thread.hear(message(3));
  expect(seqs(thread)).toEqual([1, 2, 3]);
});

it('a gap is filled from the server', async () => {
  vi.spyOn(door, 'thread').mockResolvedValueOnce(page(1, 2)).mockResolvedValueOnce(page(1, 5));
  const thread = new Thread(1, 1);
  await thread.load();
  thread.hear(message(5));
  await vi.waitFor(() => expect(seqs(thread)).toEqual([1, 2, 3, 4, 5]));
});

it('a reload that does not touch what we hold replaces it', async () => {
  vi.spyOn(door, 'thread').mockResolvedValueOnce(page(1, 3)).mockResolvedValueOnce(page(60, 62, true));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.load();
  expect(seqs(thread)).toEqual([60, 61, 62]);
  expect(thread.more).toBe(true);
});

it('after a resync nothing old is believed', async () => {
  vi.spyOn(door, 'thread').mockResolvedValueOnce(page(1, 5)).mockResolvedValueOnce(page(1, 2));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.load(true);
  expect(seqs(thread)).toEqual([1, 2]);
});

it('far from the end, news waits; going down again loads it', async () => {
  const from = (before: number) => page(Math.max(1, before - 50), before - 1, before > 51);
  vi.spyOn(door, 'thread').mockImplementation(async (_site, _id, before = 601) => ({ ...from(Math.min(before, 601)), conversation: conversation({ last_seq: 600 }) }));
  const thread = new Thread(1, 1);
  await thread.load();
  for (let turn = 0; turn < 9; turn++) await thread.loadOlder();
  expect([thread.messages.length, thread.messages[0]?.seq, thread.newer]).toEqual([400, 101, true]);
  thread.hear(message(601));
  expect(thread.messages.at(-1)?.seq).toBe(500);
  await thread.loadNewer();
  await thread.loadNewer();
  expect([thread.messages.length, thread.messages.at(-1)?.seq, thread.newer, thread.more]).toEqual([400, 600, false, true]);
});

it('a message is sought in what is held, or in a page around it', async () => {
  const last = conversation({ last_seq: 600 });
  const ask = vi.spyOn(door, 'thread').mockImplementation(async (_site, _id, before = 601) => ({ ...page(Math.max(1, before - 50), Math.min(600, before - 1), before > 51), conversation: last }));
  const thread = new Thread(1, 1);
  await thread.load();
  await thread.seek(570);
  expect([ask.mock.calls.length, thread.sought?.seq]).toEqual([1, 570]);
  await thread.seek(300);
  expect([seqs(thread)[0], seqs(thread).at(-1), thread.more, thread.newer]).toEqual([275, 324, true, true]);
  thread.hear(message(601));
  expect(seqs(thread).at(-1)).toBe(324);
  await thread.again();
  expect(seqs(thread)[0]).toBe(275);
  await thread.seek(3);
  expect([seqs(thread)[0], thread.more, thread.newer]).toEqual([1, false, true]);
  await thread.load(true);
  expect([seqs(thread).at(-1), thread.newer, thread.sought]).toEqual([600, false, null]);
});

it('what was asked before a message was sought comes too late', async () => {
  let late = (_: Page) => {};
  vi.spyOn(door, 'thread').mockImplementationOnce(() => new Promise((resolve) => (late = resolve))).mockResolvedValueOnce({ ...page(1, 40), conversation: conversation({ last_seq: 99 }) });
  const thread = new Thread(1, 1);
  const loading = thread.load();
  await thread.seek(15);
  late(page(50, 99, true));
  await loading;
  expect([seqs(thread).at(-1), thread.newer, thread.loading]).toEqual([40, true, false]);
});
