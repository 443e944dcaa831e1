import type { OperatorSignal } from '@ocs/protocol/wire';
import { SvelteMap } from 'svelte/reactivity';
import { account } from './account.svelte';
import { type ConversationKey, keyOfMessage } from './conversation-events';

/** A colleague who has a conversation open. */
export type Colleague = { account_id: number; name: string; typing: boolean };

type Viewing = Extract<OperatorSignal, { kind: 'viewing' }>;
type Left = Extract<OperatorSignal, { kind: 'left' }>;

/** A colleague whose console sends nothing more is dropped after this time. */
const viewingLastsMs = 10_000;
/** A colleague who does not go on typing counts as having stopped after this time. */
const typingLastsMs = 6_000;

const none: readonly Colleague[] = [];

/** Which colleagues have which conversations open, and who of them is typing. Own consoles do not count. */
class Colleagues {
  #byConversation = new SvelteMap<ConversationKey, readonly Colleague[]>();
  #timers = new Map<string, ReturnType<typeof setTimeout>>();

  /** Those who have the conversation open, the first one first. */
  viewing(key: ConversationKey): readonly Colleague[] {
    return this.#byConversation.get(key) ?? none;
  }

  show(signal: Viewing): void {
    if (signal.account_id === account.me?.account.id) return;
    const key = keyOfMessage(signal);
    const { account_id, name, typing } = signal;
    this.#replace(key, { account_id, name, typing });
    this.#after(viewingLastsMs, `${key} ${account_id}`, () => this.#drop(key, account_id));
    const typingTimer = `${key} ${account_id} typing`;
    if (typing) this.#after(typingLastsMs, typingTimer, () => this.#replace(key, { account_id, name, typing: false }));
    else this.#cancel(typingTimer);
  }

  hide(signal: Left): void {
    this.#drop(keyOfMessage(signal), signal.account_id);
  }

  /** Nobody is known to be viewing: after a lost connection, colleagues who still are say so again. */
  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.#byConversation.clear();
  }

  #replace(key: ConversationKey, changed: Colleague): void {
    const list = this.viewing(key);
    const known = list.find(({ account_id }) => account_id === changed.account_id);
    if (known && known.typing === changed.typing && known.name === changed.name) return;
    this.#byConversation.set(key, known ? list.map((each) => (each === known ? changed : each)) : [...list, changed]);
  }

  #drop(key: ConversationKey, account_id: number): void {
    this.#cancel(`${key} ${account_id}`);
    this.#cancel(`${key} ${account_id} typing`);
    const left = this.viewing(key).filter((each) => each.account_id !== account_id);
    if (left.length > 0) this.#byConversation.set(key, left);
    else this.#byConversation.delete(key);
  }

  #after(ms: number, name: string, act: () => void): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name);
      act();
    }, ms));
  }

  #cancel(name: string): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

export const colleagues = new Colleagues();
