import type { MessageForOperator } from '@ocs/protocol/wire';

/** A message with what grouping needs to know of it. */
export type Shown = { key: string; sender: string; at: number; message: MessageForOperator };

const made = new WeakMap<MessageForOperator, Shown>();

/** The same object for the same message, so that rows which did not change are not drawn again. */
export function shownOf(message: MessageForOperator): Shown {
  const known = made.get(message);
  if (known) return known;
  const shown = { key: String(message.seq), sender: `${message.from} ${message.name ?? ''}`, at: message.at, message };
  made.set(message, shown);
  return shown;
}
