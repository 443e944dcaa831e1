import type { SiteView } from '@ocs/protocol/wire';

type Attack = NonNullable<SiteView['attack']>;

/** What is going on, for the banner. */
export function attackWords(attack: Attack, began: string): string {
  if (!attack.ended_at) return `too many new visitors at once, noticed ${began}. Each new one now has to do some work first; everybody else notices nothing.`;
  return `a flood of new visitors is over; it was noticed ${began}.`;
}

/** What a clean-up would remove. */
export function leftWords(attack: Attack | null | undefined): string {
  if (!attack || attack.visitors === 0) return 'Nothing is left to remove.';
  return `${count(attack.visitors, 'visitor')} and ${count(attack.conversations, 'conversation')} are removed.`;
}

function count(number: number, thing: string): string {
  return `${number.toLocaleString()} ${thing}${number === 1 ? '' : 's'}`;
}
