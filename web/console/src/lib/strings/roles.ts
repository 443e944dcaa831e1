import type { MembershipView, Role } from '@ocs/protocol/wire';
import { pluralize } from './count';

export const roleNames: Record<Role, string> = { viewer: 'Viewer', operator: 'Operator', admin: 'Admin', owner: 'Owner' };

/** What each role may do, in one line. */
export const roleTexts: Record<Role, string> = {
  viewer: 'Reads conversations. Can’t answer.',
  operator: 'Reads and answers conversations.',
  admin: 'Also changes sites and their keys, and manages the team.',
  owner: 'Also transfers or deletes the workspace.',
};

/** The same, said to the member. */
export const ownRoleTexts: Record<Role, string> = {
  viewer: 'You can read conversations, but not answer them.',
  operator: 'You can read and answer conversations.',
  admin: 'You can answer conversations, change sites and their keys, and manage the team.',
  owner: 'You can do everything, also transfer or delete the workspace.',
};

const articles: Record<Role, string> = { viewer: 'a viewer', operator: 'an operator', admin: 'an admin', owner: 'an owner' };

/** "an operator", for the middle of a sentence. */
export function roleWithArticle(role: Role): string {
  return articles[role];
}

/** Tells a member what has changed about their membership; null if nothing has. */
export function membershipChangeText(before: MembershipView, after: MembershipView): string | null {
  if (before.role !== after.role) return `You are now ${articles[after.role]} in ${after.name}. ${ownRoleTexts[after.role]}`;
  if (JSON.stringify(before.sites) === JSON.stringify(after.sites)) return null;
  return after.sites === null ? `You now have access to all sites of ${after.name}.` : `You now have access to ${pluralize(after.sites.length, 'site')} of ${after.name}.`;
}

/** The sites of a member or invitation: "All sites", the name of the only one, or how many. */
export function sitesText(sites: readonly number[] | null, nameOf: (site: number) => string): string {
  if (sites === null) return 'All sites';
  const [first] = sites;
  return sites.length === 1 && first !== undefined ? nameOf(first) : pluralize(sites.length, 'site');
}
