// How one conversation changes when news arrives. Plain functions: the same news twice changes nothing.
import type { ConversationForOperator as Conversation, MessageForOperator, OperatorEvent, VisitorForOperator } from '@ocs/protocol/wire';

export type Key = `${number}/${number}`;

export function keyOf(at: { site_id: number; id: number }): Key {
  return `${at.site_id}/${at.id}`;
}

export function keyOfMessage(at: { site_id: number; conversation_id: number }): Key {
  return `${at.site_id}/${at.conversation_id}`;
}

export function withMessage(known: Conversation, message: MessageForOperator): Conversation {
  if (message.seq <= known.last_seq) return known;
  const counts = message.from === 'visitor' && message.seq > known.agent_seen_seq;
  return {
    ...known,
    last_seq: message.seq,
    last_message: { from: message.from, text: message.text, image: message.image !== null, at: message.at },
    unread: known.unread + (counts ? 1 : 0),
    updated_at: Math.max(known.updated_at, message.at),
  };
}

export function withWatermark(known: Conversation, event: Extract<OperatorEvent, { kind: 'delivered' | 'seen' }>): Conversation {
  const { seq } = event;
  const higher = (mark: number) => Math.max(mark, seq);
  if (event.by === 'visitor') {
    const delivered = higher(known.visitor_delivered_seq);
    return event.kind === 'delivered'
      ? { ...known, visitor_delivered_seq: delivered }
      : { ...known, visitor_delivered_seq: delivered, visitor_seen_seq: higher(known.visitor_seen_seq) };
  }
  const delivered = higher(known.agent_delivered_seq);
  if (event.kind === 'delivered') return { ...known, agent_delivered_seq: delivered };
  if (seq < known.agent_seen_seq) return known;
  return { ...known, agent_delivered_seq: delivered, agent_seen_seq: seq, unread: event.unread };
}

/** A whole conversation from the server over what we hold: marks never fall back when the copy is older. */
export function withSnapshot(known: Conversation | undefined, copy: Conversation): Conversation {
  if (!known || copy.last_seq >= known.last_seq) {
    if (!known) return copy;
    const seen = Math.max(known.agent_seen_seq, copy.agent_seen_seq);
    return {
      ...copy,
      visitor_delivered_seq: Math.max(known.visitor_delivered_seq, copy.visitor_delivered_seq),
      visitor_seen_seq: Math.max(known.visitor_seen_seq, copy.visitor_seen_seq),
      agent_delivered_seq: Math.max(known.agent_delivered_seq, copy.agent_delivered_seq),
      agent_seen_seq: seen,
      unread: seen > copy.agent_seen_seq && copy.last_seq === known.last_seq ? known.unread : copy.unread,
      updated_at: Math.max(known.updated_at, copy.updated_at),
    };
  }
  return { ...known, state: copy.state, visitor: copy.visitor, verified: copy.verified };
}

export function withVisitor(known: Conversation, visitor: VisitorForOperator): Conversation {
  return { ...known, visitor };
}

/** Whom news means: who claims to be the same visitor with another proof is somebody else. */
export type Person = { site_id: number; visitor_id: number; proof: string };

export function isOf(known: Conversation, person: Person): boolean {
  return known.site_id === person.site_id && known.visitor.id === person.visitor_id && known.visitor.proof === person.proof;
}
