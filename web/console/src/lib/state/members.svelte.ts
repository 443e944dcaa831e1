import type { ChangeMember, MemberView } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';

/** The members of the workspace, as far as one may know of them, once a page has asked for them. */
class Members {
  list = $state.raw<MemberView[]>([]);
  loaded = $state(false);

  async load(): Promise<void> {
    const { members } = await api.members();
    this.list = members;
    this.loaded = true;
  }

  /** Loads the list again if a page shows it. */
  async reload(): Promise<void> {
    if (this.loaded) await this.load();
  }

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
