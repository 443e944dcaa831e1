// The console API: one line per request, in the order of docs/openapi.json.
import type {
  About, AuditLines, ChangeEmail, ChangeMember, ChangePassword, ConfigureSite, Confirm, ConversationForOperator, CreateSite, DeleteAccount, DeleteWorkspace, Found, Inbox,
  Invitations, Invite, Invited, JoinBySignUp, MakeChatKey, Me, Members, MembershipView, MemberView, MySites, NewChatKey, NewKey, OfferView, OperatorHint, People,
  RecoveryCodes, Removed, Rename, Reply, ResetOf, SecondFactorSecret, SecondFactorState, SentToOperator, Sessions, ShowBoth, SignIn, SignUp, SiteCreated, SiteView, Thread,
  TransferOwnership, WorkspaceAudit, WorkspaceView,
} from '@ocs/protocol/wire';
import { change, confirmPath, inWorkspace, read, upload } from './request';

export const api = {
  about: () => read<About>('about'),
  me: () => read<Me>('me'),
  signUp: (form: SignUp) => change<Me>('POST', 'sign-up', form),
  signIn: (form: SignIn) => change<Me>('POST', 'sign-in', form),
  signOut: () => change('POST', 'sign-out'),
  offer: (token: string) => change<OfferView>('POST', 'invitation', { token }),
  join: (token: string) => change<Me>('POST', 'invitation/accept', { token }),
  joinBySignUp: (form: JoinBySignUp) => change<Me>('POST', 'invitation/sign-up', form),
  openReset: (token: string) => change<ResetOf>('POST', 'reset', { token }),
  resetPassword: (token: string, password: string) => change('POST', 'reset/password', { token, password }),
  rename: (form: Rename) => change<Me>('POST', 'account/name', form),
  changePassword: (form: ChangePassword) => change('POST', 'account/password', form),
  changeEmail: (form: ChangeEmail) => change<Me>('POST', 'account/email', form),
  putPhoto: (photo: Blob) => change<Me>('PUT', 'account/photo', photo),
  removePhoto: () => change<Me>('DELETE', 'account/photo'),
  confirm: (form: Confirm) => change('POST', confirmPath, form),
  deleteAccount: (form: DeleteAccount) => change('POST', 'account/delete', form),
  sessions: () => read<Sessions>('account/sessions'),
  endSession: (session: number) => change('DELETE', `account/sessions/${session}`),

  twoFactor: () => read<SecondFactorState>('account/second-factor'),
  beginTwoFactor: (password: string) => change<SecondFactorSecret>('POST', 'account/second-factor', { password }),
  confirmTwoFactor: (code: string) => change<RecoveryCodes>('POST', 'account/second-factor/confirm', { code }),
  renewRecoveryCodes: (form: ShowBoth) => change<RecoveryCodes>('POST', 'account/second-factor/codes', form),
  endTwoFactor: (form: ShowBoth) => change('POST', 'account/second-factor/off', form),
  audit: (before?: number) => read<AuditLines>(`account/audit?${queryString({ before })}`),

  createWorkspace: (name: string) => change<MembershipView>('POST', 'workspaces', { name }),
  renameWorkspace: (name: string) => change<WorkspaceView>('PATCH', inWorkspace(), { name }),
  deleteWorkspace: (form: DeleteWorkspace) => change('DELETE', inWorkspace(), form),
  members: () => read<Members>(inWorkspace('members')),
  changeMember: (member: number, form: ChangeMember) => change<MemberView>('PATCH', inWorkspace(`members/${member}`), form),
  removeMember: (member: number) => change('DELETE', inWorkspace(`members/${member}`)),
  leaveWorkspace: () => change('POST', inWorkspace('leave')),
  transferOwnership: (form: TransferOwnership) => change<MemberView>('POST', inWorkspace('transfer'), form),
  invitations: () => read<Invitations>(inWorkspace('invitations')),
  invite: (form: Invite) => change<Invited>('POST', inWorkspace('invitations'), form),
  withdrawInvitation: (invitation: number) => change('DELETE', inWorkspace(`invitations/${invitation}`)),
  workspaceAudit: (before?: number) => read<WorkspaceAudit>(inWorkspace(`audit?${queryString({ before })}`)),

  mySites: () => read<MySites>(inWorkspace('my-sites')),
  site: (site: number) => read<SiteView>(`sites/${site}`),
  createSite: (form: CreateSite) => change<SiteCreated>('POST', inWorkspace('sites'), form),
  configureSite: (site: number, form: ConfigureSite) => change<SiteView>('PATCH', `sites/${site}`, form),
  deleteSite: (site: number) => change('DELETE', `sites/${site}`),
  cleanUpAbuse: (site: number) => change<Removed>('POST', `sites/${site}/attack/clean-up`),
  dismissAbuse: (site: number) => change<SiteView>('POST', `sites/${site}/attack/settle`),
  putLogo: (site: number, logo: Blob) => change<SiteView>('PUT', `sites/${site}/logo`, logo),
  removeLogo: (site: number) => change<SiteView>('DELETE', `sites/${site}/logo`),
  newChatKey: (site: number, form: MakeChatKey) => change<NewChatKey>('POST', `sites/${site}/chat-keys`, form),
  revokeChatKey: (site: number, key: number) => change('DELETE', `sites/${site}/chat-keys/${key}`),
  newWidgetKey: (site: number, grace_s: number) => change<SiteView>('POST', `sites/${site}/widget-key`, { grace_s }),
  newIdentitySecret: (site: number) => change<NewKey>('POST', `sites/${site}/identity-secrets`),
  removeIdentitySecret: (site: number, secret: number) => change('DELETE', `sites/${site}/identity-secrets/${secret}`),

  inbox: (query: InboxQuery) => read<Inbox>(inWorkspace(`conversations?${queryString(query)}`)),
  search: (query: SearchQuery) => read<Found>(inWorkspace(`search?${queryString(query)}`)),
  people: (query: SearchQuery) => read<People>(inWorkspace(`people?${queryString(query)}`)),
  thread: (site: number, id: number, beforeSeq?: number, limit = 50) =>
    read<Thread>(`sites/${site}/conversations/${id}?${queryString({ before_seq: beforeSeq, limit })}`),
  reply: (site: number, id: number, reply: Reply) =>
    change<SentToOperator>('POST', `sites/${site}/conversations/${id}/messages`, reply),
  close: (site: number, id: number) => change<ConversationForOperator>('POST', `sites/${site}/conversations/${id}/close`),
  reopen: (site: number, id: number) => change<ConversationForOperator>('POST', `sites/${site}/conversations/${id}/reopen`),
  uploadImage: (site: number, image: Blob, stop: AbortSignal, progress: (share: number) => void) => upload(`sites/${site}/images`, image, stop, progress),

  ticket: () => change<{ ticket: string }>('POST', inWorkspace('ticket')),
  hint: (hint: OperatorHint) => change('POST', inWorkspace('hint'), hint),
};

export type InboxQuery = {
  state: 'open' | 'closed' | 'all';
  site?: number;
  unread?: true;
  before?: string;
  limit?: number;
};

export type SearchQuery = { q: string; site?: number; before?: string };

function queryString(values: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.toString();
}
