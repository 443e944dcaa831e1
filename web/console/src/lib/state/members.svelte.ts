import { ApiError } from '@ocs/protocol';
import type { ChangeMember, MemberView } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';
import { latest } from './latest';

/** The members of the workspace, as far as one may know of them. Loaded with the connection, and again when the team changes. */
class Members {
  list = $state.raw<MemberView[]>([]);
  loaded = $state(false);

  load = latest(async () => {
    const { members } = await api.members();
    this.list = members;
    this.loaded = true;
  });

  byId(account: number): MemberView | undefined {
    return this.list.find(({ account_id }) => account_id === account);
  }

  async change(account: number, change: ChangeMember): Promise<void> {
    this.#replace(await api.changeMember(account, change));
  }

  async remove(account: number): Promise<void> {
    await api.removeMember(account);
    this.list = this.list.filter(({ account_id }) => account_id !== account);
  }

  /** Whether the server refused because the member is no longer in the workspace. Loads the list again to know it. */
  async hasLeft(account: number, refusal: unknown): Promise<boolean> {
    if (!(refusal instanceof ApiError) || refusal.status !== 404) return false;
    await this.load();
    return !this.byId(account);
  }

  setOnline(account: number, online: boolean): void {
    const member = this.byId(account);
    if (member && member.online !== online) this.#replace({ ...member, online });
  }

  clear(): void {
    this.list = [];
    this.loaded = false;
  }

  #replace(changed: MemberView): void {
    this.list = this.list.map((member) => (member.account_id === changed.account_id ? changed : member));
  }
}

export const members = new Members();
