import { SvelteMap } from 'svelte/reactivity';
import type { Key } from './conversation-events';

const lastsMs = 6_000;

/** Which visitors are writing just now. A sign of it lasts six seconds. */
class Typing {
  #until = new SvelteMap<Key, ReturnType<typeof setTimeout>>();

  has(key: Key): boolean {
    return this.#until.has(key);
  }

  hear(key: Key): void {
    clearTimeout(this.#until.get(key));
    this.#until.set(key, setTimeout(() => this.#until.delete(key), lastsMs));
  }

  stop(key: Key): void {
    clearTimeout(this.#until.get(key));
    this.#until.delete(key);
  }
}

export const typing = new Typing();
