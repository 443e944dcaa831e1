import type { OperatorHint } from '@ocs/protocol/wire';
import type { Key } from './conversation-events';

type Receipt = Extract<OperatorHint, { type: 'delivered' | 'seen' }>;

/** Ticks for the visitor's side: gathered for a moment, and said again after a reconnect until the server confirms them. */
export class Receipts {
  #owed = new Map<string, { receipt: Receipt; since: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (hint: OperatorHint) => void) {}

  /** false: it was owed already. */
  owe(type: Receipt['type'], key: Key, seq: number): boolean {
    const name = `${type} ${key}`;
    if ((this.#owed.get(name)?.receipt.seq ?? 0) >= seq) return false;
    const [site_id = 0, conversation_id = 0] = key.split('/').map(Number);
    this.#owed.set(name, { receipt: { type, site_id, conversation_id, seq }, since: performance.now() });
    this.#timer ??= setTimeout(() => this.repeat(), 250);
    return true;
  }

  repeat(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { receipt } of this.#owed.values()) this.send(receipt);
  }

  /** Since when it was owed from here; null: it was not. */
  confirm(type: Receipt['type'], key: Key, seq: number): number | null {
    if (type === 'seen') this.#confirm(`delivered ${key}`, seq);
    return this.#confirm(`${type} ${key}`, seq);
  }

  #confirm(name: string, seq: number): number | null {
    const owed = this.#owed.get(name);
    if (owed === undefined || owed.receipt.seq > seq) return null;
    this.#owed.delete(name);
    return owed.since;
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#owed.clear();
  }
}
