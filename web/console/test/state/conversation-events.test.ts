import { describe, expect, it } from 'vitest';
import { withMessage, withSnapshot, withWatermark } from '../../src/lib/state/conversation-events';
import { conversation, message } from './builders';

describe('a message', () => {
  it('becomes the last line and counts as unread', () => {
    const after = withMessage(conversation(), message(1, { text: 'hello' }));
    expect(after).toMatchObject({ last_seq: 1, unread: 1, updated_at: 1000, last_message: { from: 'visitor', text: 'hello', image: false } });
  });

  it('applied twice changes nothing', () => {
    const once = withMessage(conversation(), message(1));
    expect(withMessage(once, message(1))).toBe(once);
  });

  it('of ours is not unread', () => {
    expect(withMessage(conversation(), message(1, { from: 'agent' })).unread).toBe(0);
  });

  it('that was already seen elsewhere is not unread', () => {
    expect(withMessage(conversation({ agent_seen_seq: 3 }), message(2)).unread).toBe(0);
  });

  it('from a slow clock does not move the conversation back', () => {
    expect(withMessage(conversation({ updated_at: 9000 }), message(1)).updated_at).toBe(9000);
  });
});

describe('watermarks', () => {
  const seen = (by: 'visitor' | 'agent', seq: number, unread = 0) => ({ kind: 'seen', site_id: 1, conversation_id: 1, by, seq, unread }) as const;

  it('of the visitor only increase, and read implies delivered', () => {
    const read = withWatermark(conversation({ visitor_seen_seq: 2, visitor_delivered_seq: 2 }), seen('visitor', 5));
    expect(read).toMatchObject({ visitor_seen_seq: 5, visitor_delivered_seq: 5 });
    expect(withWatermark(read, seen('visitor', 3))).toMatchObject({ visitor_seen_seq: 5, visitor_delivered_seq: 5 });
  });

  it('of the operators carry the unread count', () => {
    expect(withWatermark(conversation({ unread: 4 }), seen('agent', 3, 1))).toMatchObject({ agent_seen_seq: 3, unread: 1 });
  });

  it('that arrive late do not make messages unread again', () => {
    const read = conversation({ agent_seen_seq: 6, unread: 0 });
    expect(withWatermark(read, seen('agent', 3, 3))).toBe(read);
  });
});

describe('a snapshot from the server', () => {
  it('is used when it is newer', () => {
    const copy = conversation({ last_seq: 4, unread: 2, state: 'closed' });
    expect(withSnapshot(conversation({ last_seq: 3 }), copy)).toMatchObject({ last_seq: 4, unread: 2, state: 'closed' });
  });

  it('that is older updates the state but not the counts', () => {
    const known = conversation({ last_seq: 5, unread: 2, updated_at: 9 });
    expect(withSnapshot(known, conversation({ last_seq: 3, unread: 0, state: 'closed' }))).toMatchObject({ last_seq: 5, unread: 2, state: 'closed' });
  });

  it('does not undo a receipt from a moment ago', () => {
    const known = conversation({ last_seq: 5, agent_seen_seq: 5, unread: 0 });
    expect(withSnapshot(known, conversation({ last_seq: 5, agent_seen_seq: 3, unread: 2 }))).toMatchObject({ agent_seen_seq: 5, unread: 0 });
  });
});
