// What the keyboard can do on the page that is open. A page adds its commands while it is shown.
import { preferences } from './preferences.svelte';

export type CommandName = 'next' | 'previous' | 'open' | 'reply' | 'close' | 'filter' | 'details' | 'inbox' | 'sites' | 'help';

export const keysOf: { name: CommandName; keys: string[]; says: string }[] = [
  { name: 'next', keys: ['j', 'ArrowDown'], says: 'Next conversation' },
  { name: 'previous', keys: ['k', 'ArrowUp'], says: 'Previous conversation' },
  { name: 'open', keys: ['Enter'], says: 'Open the marked conversation' },
  { name: 'reply', keys: ['r'], says: 'Write a reply' },
  { name: 'close', keys: ['e'], says: 'Close or reopen the conversation' },
  { name: 'details', keys: ['d'], says: 'Show or hide visitor details' },
  { name: 'filter', keys: ['/'], says: 'Search conversations and messages' },
  { name: 'inbox', keys: ['g i'], says: 'Go to the inbox' },
  { name: 'sites', keys: ['g s'], says: 'Go to My Sites' },
  { name: 'help', keys: ['?'], says: 'Show this sheet' },
];

class Commands {
  #running = new Map<CommandName, () => void>();
  #leader = 0;

  /** Returns what takes them away again: hand it to onMount or $effect. */
  add(commands: Partial<Record<CommandName, () => void>>): () => void {
    const entries = Object.entries(commands) as [CommandName, () => void][];
    for (const [name, run] of entries) this.#running.set(name, run);
    return () => {
      for (const [name, run] of entries) if (this.#running.get(name) === run) this.#running.delete(name);
    };
  }

  press(event: KeyboardEvent): void {
    if (!preferences.now.shortcuts || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open], :popover-open')) return;
    const key = keyOn(event);
    if (/^(Enter|Arrow)/.test(key) && isControl(event.target)) return;
    const chord = Date.now() - this.#leader < 1500 ? `g ${key}` : key;
    this.#leader = key === 'g' ? Date.now() : 0;
    const command = keysOf.find((known) => known.keys.includes(chord));
    const run = command && this.#running.get(command.name);
    if (!run) return;
    event.preventDefault();
    run();
  }
}

/** The Latin letter on the pressed key, so that J is J on a Cyrillic or Greek layout too. */
function keyOn(event: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(event.code)?.[1];
  if (letter && !/^[a-z]$/i.test(event.key)) return letter.toLowerCase();
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('button, summary, [role=tab]') !== null;
}

export const commands = new Commands();
