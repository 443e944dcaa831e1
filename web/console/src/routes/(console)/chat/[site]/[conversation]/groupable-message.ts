import type { MessageForOperator } from '@ocs/protocol/wire';

/** A message with the fields that grouping needs. */
export type GroupableMessage = { key: string; sender: string; at: number; message: MessageForOperator };

const cache = new WeakMap<MessageForOperator, GroupableMessage>();

/** Returns the same object for the same message, so that unchanged rows are not rendered again. */
export function asGroupable(message: MessageForOperator): GroupableMessage {
  const cached = cache.get(message);
  if (cached) return cached;
  const groupable = { key: String(message.seq), sender: `${message.from} ${message.account_id ?? ''} ${message.name ?? ''}`, at: message.at, message };
  cache.set(message, groupable);
  return groupable;
}
