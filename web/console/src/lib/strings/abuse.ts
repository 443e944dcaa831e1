import type { SiteLine } from '@ocs/protocol/wire';
import { pluralize } from './count';

type Abuse = NonNullable<SiteLine['attack']>;

/** The banner's description of a flood of new visitors; `began` is a relative time. */
export function abuseText(attack: Abuse, began: string): string {
  if (!attack.ended_at) return `unusually many new visitors, first noticed ${began}. Their browsers now have to pass an automatic check before they can chat. Nobody else is affected.`;
  return `the flood of new visitors that started ${began} is over.`;
}

/** What a clean-up will delete. */
export function cleanUpText(attack: Abuse | null | undefined): string {
  const { conversations } = attack ?? { conversations: 0 };
  if (conversations === 0) return 'No conversations are left to delete, only new visitors who never wrote.';
  return `${pluralize(conversations, 'conversation', 'conversations')} will be deleted.`;
}
