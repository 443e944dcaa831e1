import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Receipts } from '../../src/lib/state/receipts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('gathers for a moment and sends the highest', () => {
  const send = vi.fn();
  const receipts = new Receipts(send);
  receipts.owe('seen', '1/2', 3);
  receipts.owe('seen', '1/2', 5);
  receipts.owe('seen', '1/2', 4);
  vi.runAllTimers();
  expect(send.mock.calls).toEqual([[{ type: 'seen', site_id: 1, conversation_id: 2, seq: 5 }]]);
});

it('says again after a reconnect what was not confirmed', () => {
  const send = vi.fn();
  const receipts = new Receipts(send);
  receipts.owe('delivered', '1/2', 1);
  receipts.owe('seen', '1/3', 1);
  vi.runAllTimers();
  receipts.confirm('delivered', '1/2', 1);
  send.mockClear();
  receipts.repeat();
  expect(send.mock.calls).toEqual([[{ type: 'seen', site_id: 1, conversation_id: 3, seq: 1 }]]);
});

it('what is seen is delivered', () => {
  const send = vi.fn();
  const receipts = new Receipts(send);
  receipts.owe('delivered', '1/2', 4);
  receipts.confirm('seen', '1/2', 4);
  receipts.repeat();
  expect(send).not.toHaveBeenCalled();
});
