import type { MessageForOperator } from '@ocs/protocol/wire';

/** Both lists as one, by seq, each message once. */
export function inOrder(known: MessageForOperator[], more: MessageForOperator[]): MessageForOperator[] {
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of more) bySeq.set(message.seq, message);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
