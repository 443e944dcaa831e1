import type { SiteLine } from '@ocs/protocol/wire';
import { counted } from './count';

type Attack = NonNullable<SiteLine['attack']>;

/** What is going on, for the banner. */
export function attackWords(attack: Attack, began: string): string {
  if (!attack.ended_at) return `too many new visitors at once, noticed ${began}. Each new one now has to do some work first; everybody else notices nothing.`;
  return `a flood of new visitors is over; it was noticed ${began}.`;
}

/** What a clean-up would remove. */
export function leftWords(attack: Attack | null | undefined): string {
  const { conversations } = attack ?? { conversations: 0 };
  if (conversations === 0) return 'No conversation is left to remove, only new visitors who wrote nothing.';
  return `${counted(conversations, 'conversation is', 'conversations are')} removed.`;
}
