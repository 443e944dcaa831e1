import type { ConversationForOperator, MessageForOperator, VisitorForOperator } from '@ocs/protocol/wire';

export function visitor(change: Partial<VisitorForOperator> = {}): VisitorForOperator {
  return {
    site_id: 1, id: 10, external_id: 'v_1', anonymous: true, verified: false, proof: 'browser:b1', claimed: true, nickname: null, email: null, attributes: {}, page: null,
    browser: null, mobile: false, locale: null, timezone: null, online: false, first_seen_at: 0, last_seen_at: 0, ...change,
  };
}

export function conversation(change: Partial<ConversationForOperator> = {}): ConversationForOperator {
  return {
    site_id: 1, id: 1, visitor: visitor(), verified: false, state: 'open', last_seq: 0, last_message: null, visitor_delivered_seq: 0,
    visitor_seen_seq: 0, agent_delivered_seq: 0, agent_seen_seq: 0, unread: 0, created_at: 0, updated_at: 0, ...change,
  };
}

export function message(seq: number, change: Partial<MessageForOperator> = {}): MessageForOperator {
  return { site_id: 1, conversation_id: 1, seq, from: 'visitor', client_id: null, account_id: null, name: null, text: `line ${seq}`, image: null, at: seq * 1000, ...change };
}
