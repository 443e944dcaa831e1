import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Receipts } from '../../src/lib/state/receipts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('batches receipts and sends the highest', () => {
  const send = vi.fn();
  const receipts = new Receipts(send);
  receipts.queue('seen', '1/2', 3);
  receipts.queue('seen', '1/2', 5);
  receipts.queue('seen', '1/2', 4);
  vi.runAllTimers();
  expect(send.mock.calls).toEqual([[{ type: 'seen', site_id: 1, conversation_id: 2, seq: 5 }]]);
});

it('sends unconfirmed receipts again after a reconnect', () => {
  const send = vi.fn();
  const receipts = new Receipts(send);
  receipts.queue('delivered', '1/2', 1);
  receipts.queue('seen', '1/3', 1);
  vi.runAllTimers();
  receipts.confirm('delivered', '1/2', 1);
  send.mockClear();
  receipts.flush();
  expect(send.mock.calls).toEqual([[{ type: 'seen', site_id: 1, conversation_id: 3, seq: 1 }]]);
});

it('seen implies delivered', () => {
  const send = vi.fn();
  const receipts = new Receipts(send);
  receipts.queue('delivered', '1/2', 4);
  receipts.confirm('seen', '1/2', 4);
  receipts.flush();
  expect(send).not.toHaveBeenCalled();
});
