import type { MessageForOperator } from '@ocs/protocol/wire';

/** Merges two lists, sorted by seq and without duplicates. */
export function mergeBySeq(known: MessageForOperator[], added: MessageForOperator[]): MessageForOperator[] {
  const bySeq = new Map(known.map((message) => [message.seq, message]));
  for (const message of added) bySeq.set(message.seq, message);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
