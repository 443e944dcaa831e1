import type { OperatorHint } from '@ocs/protocol/wire';
import type { ConversationKey } from './conversation-events';

type Receipt = Extract<OperatorHint, { type: 'delivered' | 'seen' }>;

/** Delivered and read receipts for visitors: batched for 250 ms, and sent again after a reconnect until the server confirms them. */
export class Receipts {
  #pending = new Map<string, { receipt: Receipt; queuedAt: number }>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly send: (hint: OperatorHint) => void) {}

  /** Queues a receipt. Returns false if it was already queued. */
  queue(type: Receipt['type'], key: ConversationKey, seq: number): boolean {
    const name = `${type} ${key}`;
    if ((this.#pending.get(name)?.receipt.seq ?? 0) >= seq) return false;
    const [site_id = 0, conversation_id = 0] = key.split('/').map(Number);
    this.#pending.set(name, { receipt: { type, site_id, conversation_id, seq }, queuedAt: performance.now() });
    this.#timer ??= setTimeout(() => this.flush(), 250);
    return true;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { receipt } of this.#pending.values()) this.send(receipt);
  }

  /** Removes a confirmed receipt. Returns when it was queued (performance.now()), or null if it was not. */
  confirm(type: Receipt['type'], key: ConversationKey, seq: number): number | null {
    if (type === 'seen') this.#confirm(`delivered ${key}`, seq);
    return this.#confirm(`${type} ${key}`, seq);
  }

  #confirm(name: string, seq: number): number | null {
    const pending = this.#pending.get(name);
    if (pending === undefined || pending.receipt.seq > seq) return null;
    this.#pending.delete(name);
    return pending.queuedAt;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending.clear();
  }
}
