// Applies events to one conversation. Pure and idempotent: applying an event twice changes nothing.
import type { ConversationForOperator as Conversation, MessageForOperator, OperatorEvent, VisitorForOperator } from '@ocs/protocol/wire';

export type ConversationKey = `${number}/${number}`;

export function keyOf(at: { site_id: number; id: number }): ConversationKey {
  return `${at.site_id}/${at.id}`;
}

export function keyOfMessage(at: { site_id: number; conversation_id: number }): ConversationKey {
  return `${at.site_id}/${at.conversation_id}`;
}

export function withMessage(known: Conversation, message: MessageForOperator): Conversation {
  if (message.seq <= known.last_seq) return known;
  const isUnread = message.from === 'visitor' && message.seq > known.agent_seen_seq;
  return {
    ...known,
    last_seq: message.seq,
    last_message: { from: message.from, text: message.text, image: message.image !== null, at: message.at },
    unread: known.unread + (isUnread ? 1 : 0),
    updated_at: Math.max(known.updated_at, message.at),
  };
}

export function withWatermark(known: Conversation, event: Extract<OperatorEvent, { kind: 'delivered' | 'seen' }>): Conversation {
  const { seq } = event;
  const raise = (watermark: number) => Math.max(watermark, seq);
  if (event.by === 'visitor') {
    const delivered = raise(known.visitor_delivered_seq);
    return event.kind === 'delivered'
      ? { ...known, visitor_delivered_seq: delivered }
      : { ...known, visitor_delivered_seq: delivered, visitor_seen_seq: raise(known.visitor_seen_seq) };
  }
  const delivered = raise(known.agent_delivered_seq);
  if (event.kind === 'delivered') return { ...known, agent_delivered_seq: delivered };
  if (seq < known.agent_seen_seq) return known;
  return { ...known, agent_delivered_seq: delivered, agent_seen_seq: seq, unread: event.unread };
}

/** Merges a conversation loaded from the server: watermarks never decrease when the snapshot is older. */
export function withSnapshot(known: Conversation | undefined, snapshot: Conversation): Conversation {
  if (!known || snapshot.last_seq >= known.last_seq) {
    if (!known) return snapshot;
    const seen = Math.max(known.agent_seen_seq, snapshot.agent_seen_seq);
    return {
      ...snapshot,
      visitor_delivered_seq: Math.max(known.visitor_delivered_seq, snapshot.visitor_delivered_seq),
      visitor_seen_seq: Math.max(known.visitor_seen_seq, snapshot.visitor_seen_seq),
      agent_delivered_seq: Math.max(known.agent_delivered_seq, snapshot.agent_delivered_seq),
      agent_seen_seq: seen,
      unread: seen > snapshot.agent_seen_seq && snapshot.last_seq === known.last_seq ? known.unread : snapshot.unread,
      updated_at: Math.max(known.updated_at, snapshot.updated_at),
    };
  }
  return { ...known, state: snapshot.state, visitor: snapshot.visitor, verified: snapshot.verified };
}

export function withVisitor(known: Conversation, visitor: VisitorForOperator): Conversation {
  return { ...known, visitor };
}

/** The person an event is about: the same visitor id with another proof is somebody else. */
export type Person = { site_id: number; visitor_id: number; proof: string };

export function isAbout(known: Conversation, person: Person): boolean {
  return known.site_id === person.site_id && known.visitor.id === person.visitor_id && known.visitor.proof === person.proof;
}
