import { ApiError } from '@ocs/protocol';
import type { MembershipView, MemberView, Role } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';
import { setWorkspace } from '$lib/api/request';
import { membershipChangeText } from '$lib/strings/roles';
import { account } from './account.svelte';
import { readStored, readTab, writeStored, writeTab } from './browser-storage';
import { toasts } from './toasts.svelte';

const storageKey = 'ocs.workspace';
const rising: readonly Role[] = ['viewer', 'operator', 'admin', 'owner'];

/** Whether a role may do what needs `needed`. */
export function reaches(role: Role, needed: Role): boolean {
  return rising.indexOf(role) >= rising.indexOf(needed);
}

/** The roles that a member with this role may give, lowest first. */
export function rolesUpTo(role: Role): Role[] {
  return rising.filter((each) => reaches(role, each));
}

/**
 * The workspace that this page shows. It stays the same until the page is loaded again: choosing another one loads the page,
 * so that nothing of the one before can be left on it.
 */
class Workspace {
  #id = $state<number | null>(null);
  /** The membership as it was last known, to tell what has changed. */
  #known = $state.raw<MembershipView | null>(null);
  #refreshing: Promise<void> | undefined;

  /** All workspaces of the signed-in person, oldest first. */
  list = $derived(account.me?.workspaces ?? []);
  /** The own membership; null without a workspace, or once it has ended. */
  current = $derived(this.list.find(({ id }) => id === this.#id) ?? null);
  /** The name of the workspace that the person has been removed from while the page shows it. */
  lost = $derived(this.#id !== null && this.current === null ? (this.#known?.name ?? '') : null);
  /** The member looks after all sites, those made later included. */
  allSites = $derived(this.current !== null && this.current.sites === null);

  /** Whether the role in this workspace allows what needs `role`. */
  may(role: Role): boolean {
    return this.current !== null && reaches(this.current.role, role);
  }

  /** Enters the workspace that this tab, or else this browser, showed last; otherwise the oldest. */
  enter(): void {
    if (this.#id !== null) return;
    const remembered = Number(readTab(storageKey) ?? readStored(storageKey));
    const chosen = this.list.find(({ id }) => id === remembered) ?? this.list[0];
    if (!chosen) return;
    this.#id = chosen.id;
    this.#known = chosen;
    setWorkspace(chosen.id);
    writeTab(storageKey, String(chosen.id));
  }

  /** Loads the page again with another workspace. */
  open(id: number, path = '/chat'): void {
    writeStored(storageKey, String(id));
    writeTab(storageKey, String(id));
    location.assign(path);
  }

  /** Loads the page again with another workspace of the person, or none, after this one has ended for them. `notice` is shown there. */
  openAnother(notice: string): void {
    toasts.keep(notice);
    const next = this.list.find(({ id }) => id !== this.#id);
    if (next) this.open(next.id);
    else location.assign('/chat');
  }

  /** Creates a workspace, which the person owns, and opens it. */
  async create(name: string): Promise<void> {
    this.open((await api.createWorkspace(name)).id, '/sites');
  }

  async rename(name: string): Promise<void> {
    await api.renameWorkspace(name);
    await this.refresh();
  }

  /** The workspace of a site; null if it is in none of the person's. */
  async ofSite(site: number): Promise<number | null> {
    try {
      return (await api.site(site)).workspace_id;
    } catch (refusal) {
      if (refusal instanceof ApiError && refusal.status === 404) return null;
      throw refusal;
    }
  }

  /** Loads the person's memberships again and tells what has changed. Concurrent calls share one request. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  /** Forgets the workspace at the end of a session. */
  leave(): void {
    this.#id = this.#known = null;
    setWorkspace(0);
  }

  async #refresh(): Promise<void> {
    account.set(await api.me());
    const { current } = this;
    if (!current) return;
    const text = this.#known && membershipChangeText(this.#known, current);
    this.#known = current;
    if (text) toasts.info(text);
  }
}

export const workspace = new Workspace();

/** Whether one may change or remove a member: an admin or owner may, unless the member is above them. */
export function mayManage(member: MemberView): boolean {
  const { current } = workspace;
  return current !== null && reaches(current.role, 'admin') && reaches(current.role, member.role);
}
