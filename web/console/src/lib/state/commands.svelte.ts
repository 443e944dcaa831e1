// Keyboard shortcuts. A page registers the commands that it supports while it is shown.
import { preferences } from './preferences.svelte';

export type CommandName = 'next' | 'previous' | 'open' | 'reply' | 'close' | 'filter' | 'details' | 'inbox' | 'sites' | 'team' | 'help';

export const shortcuts: { name: CommandName; keys: string[]; label: string }[] = [
  { name: 'next', keys: ['j', 'ArrowDown'], label: 'Next conversation' },
  { name: 'previous', keys: ['k', 'ArrowUp'], label: 'Previous conversation' },
  { name: 'open', keys: ['Enter'], label: 'Open the selected conversation' },
  { name: 'reply', keys: ['r'], label: 'Write a reply' },
  { name: 'close', keys: ['e'], label: 'Close or reopen the conversation' },
  { name: 'details', keys: ['d'], label: 'Show or hide visitor details' },
  { name: 'filter', keys: ['/'], label: 'Search conversations and messages' },
  { name: 'inbox', keys: ['g i'], label: 'Go to the inbox' },
  { name: 'sites', keys: ['g s'], label: 'Go to My Sites' },
  { name: 'team', keys: ['g t'], label: 'Go to Team' },
  { name: 'help', keys: ['?'], label: 'Show keyboard shortcuts' },
];

class Commands {
  #registered = new Map<CommandName, () => void>();
  #prefixPressedAt = 0;

  /** Registers commands. Returns a function that removes them, for onMount or $effect. */
  add(commands: Partial<Record<CommandName, () => void>>): () => void {
    const entries = Object.entries(commands) as [CommandName, () => void][];
    for (const [name, run] of entries) this.#registered.set(name, run);
    return () => {
      for (const [name, run] of entries) if (this.#registered.get(name) === run) this.#registered.delete(name);
    };
  }

  press(event: KeyboardEvent): void {
    if (!preferences.current.shortcuts || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open], :popover-open')) return;
    const key = keyOf(event);
    if (/^(Enter|Arrow)/.test(key) && isControl(event.target)) return;
    const chord = Date.now() - this.#prefixPressedAt < 1500 ? `g ${key}` : key;
    this.#prefixPressedAt = key === 'g' ? Date.now() : 0;
    const command = shortcuts.find((known) => known.keys.includes(chord));
    const run = command && this.#registered.get(command.name);
    if (!run) return;
    event.preventDefault();
    run();
  }
}

/** The Latin letter on the pressed key, so that J works on a Cyrillic or Greek layout too. */
function keyOf(event: KeyboardEvent): string {
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
