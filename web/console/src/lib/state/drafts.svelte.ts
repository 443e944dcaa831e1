import { SvelteSet } from 'svelte/reactivity';
import { keep, kept, keptNames } from './kept';
import type { Key } from './conversation-events';

const prefix = 'ocs.draft.';

class Drafts {
  /** Conversations with something unsent, for the mark in the list. */
  present = new SvelteSet<string>(keptNames(prefix).map((name) => name.slice(prefix.length)));

  of(key: Key): string {
    return kept(prefix + key) ?? '';
  }

  set(key: Key, text: string): void {
    keep(prefix + key, text.trim() ? text : null);
    if (text.trim()) this.present.add(key);
    else this.present.delete(key);
  }

  forget(): void {
    for (const key of [...this.present]) this.set(key as Key, '');
  }
}

export const drafts = new Drafts();
