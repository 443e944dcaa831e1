import { SvelteSet } from 'svelte/reactivity';
import { writeStored, readStored, storedNames } from './browser-storage';
import type { ConversationKey } from './conversation-events';

const prefix = 'ocs.draft.';

class Drafts {
  /** Keys of the conversations with a draft, for the label in the list. */
  keys = new SvelteSet<string>(storedNames(prefix).map((name) => name.slice(prefix.length)));

  get(key: ConversationKey): string {
    return readStored(prefix + key) ?? '';
  }

  set(key: ConversationKey, text: string): void {
    writeStored(prefix + key, text.trim() ? text : null);
    if (text.trim()) this.keys.add(key);
    else this.keys.delete(key);
  }

  clear(): void {
    for (const key of [...this.keys]) this.set(key as ConversationKey, '');
  }
}

export const drafts = new Drafts();
