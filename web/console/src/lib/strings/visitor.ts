import type { ConversationForOperator, VisitorForOperator } from '@ocs/protocol/wire';

export function visitorName(visitor: VisitorForOperator): string {
  return visitor.nickname ?? visitor.email ?? (visitor.anonymous ? `Visitor ${visitor.id}` : visitor.external_id);
}

/** Up to two letters for the avatar. */
export function initials(name: string): string {
  const words = name.trim().split(/[\s._@-]+/).filter(Boolean);
  const letters = words.slice(0, 2).map((word) => [...word][0] ?? '');
  return letters.join('').toUpperCase() || '?';
}

export function previewText({ last_message: last }: ConversationForOperator): string {
  if (!last) return 'No messages yet';
  return last.text || (last.image ? 'Picture' : '');
}
