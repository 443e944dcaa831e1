/**
 * Types of the console API for teams, by hand until the server generates them: then each becomes a line in `wire.ts` and this
 * file goes.
 */
import type { components } from "./wire.generated.ts";

type Shapes = components["schemas"];

/** What a member may do, rising. */
export type Role = "viewer" | "operator" | "admin" | "owner";

export type MembershipView = { id: number; name: string; role: Role; sites: number[] | null };
export type WorkspaceView = MembershipView & { created_at: number };
export type MemberView = {
  account_id: number;
  name: string;
  email: string;
  photo?: string | null;
  role: Role;
  sites: number[] | null;
  active: boolean;
  online: boolean;
  created_at: number;
  me: boolean;
};
export type Members = { members: MemberView[] };
export type ChangeMember = { role?: Role; sites?: number[] | null; active?: boolean };
export type InvitationView = { id: number; note: string; role: Role; sites: number[] | null; invited_by: string; created_at: number; expires_at: number };
export type Invitations = { invitations: InvitationView[] };
export type Invite = { note: string; role: Role; sites: number[] | null; days?: number };
export type Invited = { invitation: InvitationView; link: string };
/** An invitation as whoever holds its link sees it. */
export type OfferView = { workspace: string; role: Role; note: string; expires_at: number; invited_by: string };
export type JoinBySignUp = { token: string; email: string; password: string; name: string };
export type DeleteWorkspace = { password: string; code: string | null; name: string };
export type TransferOwnership = { account_id: number; password: string; code: string | null };
export type ChangeEmail = { email: string; password: string; code: string | null };
export type WorkspaceAuditEntry = {
  id: number;
  action: string;
  account: { id: number; name: string } | null;
  site_id: number | null;
  subject: string;
  network: string;
  at: number;
};
export type WorkspaceAudit = { entries: WorkspaceAuditEntry[]; more: boolean };

export type Me = Omit<Shapes["Me"], "account"> & { account: Shapes["AccountView"] & { photo?: string | null }; workspaces: MembershipView[] };
/** Who wrote an operator's message. */
export type Author = { account_id: number; photo?: string | null };
export type MessageForOperator = Shapes["MessageForOperator"] & { author?: Author | null };

type InConversation = { site_id: number; conversation_id: number };
export type OperatorHint = Shapes["OperatorHint"] | ({ type: "viewing"; typing: boolean } & InConversation) | ({ type: "left" } & InConversation);
export type OperatorSignal =
  | Shapes["OperatorSignal"]
  | { kind: "member_online"; account_id: number; online: boolean }
  | ({ kind: "viewing"; account_id: number; name: string; typing: boolean } & InConversation)
  | ({ kind: "left"; account_id: number } & InConversation);
export type OperatorEvent = Exclude<Shapes["OperatorEvent"], { kind: "message_sent" }> | { kind: "message_sent"; message: MessageForOperator };
export type Thread = Omit<Shapes["Thread"], "messages"> & { messages: MessageForOperator[] };
export type SentToOperator = { message: MessageForOperator };
export type ErrorCode = Shapes["ErrorCode"] | "role_required" | "last_owner";
/** The workspace of a site tells which one a deep link belongs to. */
export type SiteView = Shapes["SiteView"] & { workspace_id?: number };
