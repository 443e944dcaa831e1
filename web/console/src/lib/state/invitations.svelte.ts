import type { InvitationView, Invite, Invited } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';

/** The open invitations of the workspace, newest first. */
class Invitations {
  list = $state.raw<InvitationView[]>([]);

  async load(): Promise<void> {
    this.list = (await api.invitations()).invitations.toSorted((a, b) => b.created_at - a.created_at);
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
  }
}

export const invitations = new Invitations();
