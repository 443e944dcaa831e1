import type { ChatKeyView } from '@ocs/protocol/wire';

/** What a key of the chat API opens, where that is not everything. */
export function opens({ scope, networks }: Pick<ChatKeyView, 'scope' | 'networks'>): string {
  const may = { all: '', read: 'Only reads', reply: 'Only replies' }[scope];
  const from = networks.length > 0 ? `only from ${networks.join(', ')}` : '';
  const says = [may, from].filter(Boolean).join(', ');
  return says.charAt(0).toUpperCase() + says.slice(1);
}
