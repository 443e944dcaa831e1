import type { InvitationView, Invite, Invited } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';
import { latest } from './latest';

/** The open invitations of the workspace, newest first. */
class Invitations {
  list = $state.raw<InvitationView[]>([]);
  #loaded = false;

  load = latest(async () => {
    this.list = (await api.invitations()).invitations.toSorted((a, b) => b.created_at - a.created_at);
    this.#loaded = true;
  });

  /** Loads the list again if a page has shown it. */
  async reload(): Promise<void> {
    if (this.#loaded) await this.load();
  }

  /** Returns the link too, which can't be shown again. */
  async create(form: Invite): Promise<Invited> {
    const invited = await api.invite(form);
    this.list = [invited.invitation, ...this.list];
    return invited;
  }

  async withdraw(id: number): Promise<void> {
    await api.withdrawInvitation(id);
    this.list = this.list.filter((invitation) => invitation.id !== id);
  }

  clear(): void {
    this.list = [];
    this.#loaded = false;
  }
}

export const invitations = new Invitations();
