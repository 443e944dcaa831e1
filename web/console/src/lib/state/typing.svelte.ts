import { SvelteMap } from 'svelte/reactivity';
import type { ConversationKey } from './conversation-events';

const typingLastsMs = 6_000;

/** Which visitors are typing. A typing signal expires after six seconds. */
class Typing {
  #timers = new SvelteMap<ConversationKey, ReturnType<typeof setTimeout>>();

  has(key: ConversationKey): boolean {
    return this.#timers.has(key);
  }

  start(key: ConversationKey): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.set(key, setTimeout(() => this.#timers.delete(key), typingLastsMs));
  }

  stop(key: ConversationKey): void {
    clearTimeout(this.#timers.get(key));
    this.#timers.delete(key);
  }
}

export const typing = new Typing();
