import type { MemberView } from '@ocs/protocol/wire';
import { reaches } from '$lib/state/workspace.svelte';

/** Members shown at first, and how many more each click shows. */
export const membersShownFirst = 60;

const byName = new Intl.Collator('en', { sensitivity: 'base', numeric: true });

/** The members whose name or e-mail address contains the text: oneself, then the active ones by role and name, then the others. */
export function sortMembers(members: readonly MemberView[], query: string): MemberView[] {
  const needle = query.trim().toLowerCase();
  const matching = needle ? members.filter(({ name, email }) => `${name}\n${email}`.toLowerCase().includes(needle)) : members;
  return matching.toSorted(
    (a, b) => Number(b.me) - Number(a.me) || Number(b.active) - Number(a.active) || byRole(a, b) || byName.compare(a.name || a.email, b.name || b.email),
  );
}

function byRole(a: MemberView, b: MemberView): number {
  if (a.role === b.role) return 0;
  return reaches(a.role, b.role) ? -1 : 1;
}
