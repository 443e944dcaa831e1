const list = new Intl.ListFormat('en', { style: 'long', type: 'conjunction' });

/** Names shown; the rest is counted. */
const maxNames = 2;

/** "Vera", "Vera and Otto", "Vera, Otto, and 3 others". */
function namesText(names: readonly string[]): string {
  const rest = names.length - maxNames;
  if (rest <= 0) return list.format(names);
  return list.format([...names.slice(0, maxNames), rest === 1 ? '1 other' : `${rest} others`]);
}

/** The line above the composer while colleagues type. */
export function colleaguesTypingText(names: readonly string[]): string {
  return `${namesText(names)} ${names.length === 1 ? 'is' : 'are'} typing…`;
}

/** The title of a colleague's avatar on a conversation. */
export function viewingText(name: string): string {
  return `${name} is viewing this conversation`;
}

/** What screen readers hear for the avatars on a conversation. */
export function viewersText(names: readonly string[]): string {
  return `${namesText(names)} ${names.length === 1 ? 'is' : 'are'} viewing this conversation`;
}

/** Tells that a member whom a dialog is about has left or was removed. */
export function leftText(name: string): string {
  return `${name} is no longer in this workspace.`;
}

/** Nobody's name: the operator of the server made the link on its command line, or the account is gone. */
export function inviterName(name: string): string {
  return name || 'The operator of this server';
}
