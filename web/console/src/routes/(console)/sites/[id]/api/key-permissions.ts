import type { ChatKeyView } from '@ocs/protocol/wire';

/** Describes the restrictions of a chat API key; empty if it has none. */
export function permissionsOf({ scope, networks }: Pick<ChatKeyView, 'scope' | 'networks'>): string {
  const scopeText = { all: '', read: 'Read only', reply: 'Reply only' }[scope];
  const networkText = networks.length > 0 ? `only from ${networks.join(', ')}` : '';
  const text = [scopeText, networkText].filter(Boolean).join(', ');
  return text.charAt(0).toUpperCase() + text.slice(1);
}
