import type { OperatorHint } from '@ocs/protocol/wire';
import type { Key } from './conversation-events';

type Receipt = Extract<OperatorHint, { type: 'delivered' | 'seen' }>;

/** Ticks for the visitor's side: gathered for a moment, and said again after a reconnect until the server confirms them. */
export class Receipts {
  #owed = new Map<string, Receipt>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (hint: OperatorHint) => void) {}

  /** false: it was owed already. */
  owe(type: Receipt['type'], key: Key, seq: number): boolean {
    const name = `${type} ${key}`;
    if ((this.#owed.get(name)?.seq ?? 0) >= seq) return false;
    const [site_id = 0, conversation_id = 0] = key.split('/').map(Number);
    this.#owed.set(name, { type, site_id, conversation_id, seq });
    this.#timer ??= setTimeout(() => this.repeat(), 250);
    return true;
  }

  repeat(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const receipt of this.#owed.values()) this.send(receipt);
  }

  /** true: it was owed from here. */
  confirm(type: Receipt['type'], key: Key, seq: number): boolean {
    const paid = (name: string) => (this.#owed.get(name)?.seq ?? Infinity) <= seq && this.#owed.delete(name);
    if (type === 'seen') paid(`delivered ${key}`);
    return paid(`${type} ${key}`);
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#owed.clear();
  }
}
