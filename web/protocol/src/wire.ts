/**
 * The types of everything that crosses the network, under the names that the web code uses. The types themselves are
 * generated from the server's OpenAPI description (`npm run wire`). What they mean: docs/protocol.md.
 */
import type { components } from "./wire.generated.ts";

type Shapes = components["schemas"];

// ---------------------------------------------------------------- shared

/** A position in the event log. Opaque: store it and send it back, never parse it. */
export type Cursor = Inbox["cursor"];
export type Side = Shapes["Side"];
export type ErrorBody = Shapes["ErrorBody"];
export type ErrorCode = Shapes["ErrorCode"];
export type Image = Shapes["Image"];
/** Response to an image upload, in the widget API and the console API. */
export type Uploaded = Shapes["Uploaded"];
export type Page = Shapes["Page"];
/** A page as the visitor's browser reports it. */
export type PageReport = Shapes["PageSaid"];

export type Look = Shapes["Look"];
export type Variant = Shapes["Variant"];
export type Position = Shapes["Position"];
export type Scheme = Shapes["Scheme"];
/** The languages of the widget. */
export type Locale = keyof SiteView["welcome"];
export type IdentityMode = Shapes["IdentityMode"];

// ---------------------------------------------------------------- widget API

export type LauncherSite = Shapes["LauncherSite"];
export type Welcome = Shapes["Welcome"];
export type Limits = Shapes["Limits"];

export type WidgetCommand = Shapes["Command"];
/** Who the visitor is, and on which page. Sent with an anonymous visitor's token, it names that visitor and keeps the thread. */
export type Start = Omit<Extract<WidgetCommand, { do: "start" }>, "do">;
export type MessagePoint = Shapes["Point"];
export type VisitorState = Shapes["VisitorState"];
export type ConversationForVisitor = Shapes["ConversationForVisitor"];
export type MessageForVisitor = Shapes["MessageForVisitor"];
export type SentToVisitor = Shapes["SentToVisitor"];
export type HistoryForVisitor = Shapes["HistoryForVisitor"];

// ---------------------------------------------------------------- realtime frames, for visitors and for operators

export type VisitorHello = Shapes["VisitorHello"];
export type VisitorHint = Shapes["VisitorHint"];
export type VisitorEvent = Shapes["VisitorEvent"];
export type VisitorSignal = Shapes["VisitorSignal"];
export type VisitorFrame = Shapes["FrameOfVisitorEvent"];

export type OperatorHello = Shapes["OperatorHello"];
export type OperatorHint = Shapes["OperatorHint"];
export type OperatorEvent = Shapes["OperatorEvent"];
export type OperatorSignal = Shapes["OperatorSignal"];
export type OperatorFrame = Shapes["FrameOfOperatorEvent"];

type Carrying<F, E, S> = F extends { event: unknown } ? Omit<F, "event"> & { event: E } : F extends { signal: unknown } ? Omit<F, "signal"> & { signal: S } : F;
/** A frame from the server, for visitors or for operators: E is the type of its events, S of its signals. */
export type Frame<E, S> = Carrying<VisitorFrame, E, S>;

// ---------------------------------------------------------------- console API

export type About = Shapes["About"];
export type Me = Shapes["Me"];
export type SignUp = Shapes["SignUp"];
export type SignIn = Shapes["SignIn"];
export type ChangePassword = Shapes["ChangePassword"];
export type DeleteAccount = Shapes["DeleteAccount"];
export type Confirm = Shapes["Confirm"];
export type Rename = Shapes["Rename"];
export type ChangeEmail = Shapes["ChangeEmail"];
export type ResetOf = Shapes["ResetOf"];
export type SessionView = Shapes["SessionView"];
export type Sessions = Shapes["Sessions"];
export type SecondFactorState = Shapes["SecondFactorState"];
export type SecondFactorSecret = Shapes["SecondFactorSecret"];
export type ShowBoth = Shapes["ShowBoth"];
export type RecoveryCodes = Shapes["RecoveryCodes"];
export type AuditLine = Shapes["AuditLine"];
export type AuditLines = Shapes["AuditLines"];

/** What a member may do: each role may do what those before it may, viewer, operator, admin, owner. */
export type Role = Shapes["Role"];
export type MembershipView = Shapes["MembershipView"];
export type WorkspaceView = Shapes["WorkspaceView"];
export type DeleteWorkspace = Shapes["DeleteWorkspace"];
export type MemberView = Shapes["MemberView"];
export type Members = { members: MemberView[] };
/** Absent fields stay as they are. */
export type ChangeMember = Partial<Shapes["ChangeMember"]>;
export type TransferOwnership = Shapes["Transfer"];
export type InvitationView = Shapes["InvitationView"];
export type Invitations = Shapes["Invitations"];
export type Invite = Shapes["Invite"];
export type Invited = Shapes["Invited"];
/** An invitation as whoever holds its link sees it. */
export type OfferView = Shapes["OfferView"];
export type JoinBySignUp = Shapes["SignUpInvited"];
export type WorkspaceAudit = Shapes["WorkspaceAudit"];
export type WorkspaceAuditEntry = Shapes["WorkspaceAuditEntry"];

export type SiteView = Shapes["SiteView"];
export type SiteLine = Shapes["SiteLine"];
export type Removed = Shapes["Removed"];
export type SiteLimits = Shapes["SiteLimits"];
export type KeyView = Shapes["KeyView"];
export type NewKey = Shapes["NewKeyView"];
export type ChatKeyView = Shapes["ChatKeyView"];
export type NewChatKey = Shapes["NewChatKeyView"];
export type MakeChatKey = Shapes["MakeChatKey"];
export type MySites = Shapes["MySites"];
export type CreateSite = Shapes["CreateSite"];
export type SameExternalId = Shapes["SameExternalId"];
export type SiteCreated = Shapes["SiteCreated"];
export type ConfigureSite = Shapes["ConfigureSite"];

export type VisitorForOperator = Shapes["VisitorForOperator"];
export type ConversationForOperator = Shapes["ConversationForOperator"];
export type MessageForOperator = Shapes["MessageForOperator"];
export type Inbox = Shapes["Inbox"];
export type Thread = Shapes["Thread"];
/** A page of messages that match a search. */
export type Found = Shapes["Found"];
export type FoundMessage = Shapes["FoundMessage"];
/** A page of people who match a search, each with the conversation to open. */
export type People = Shapes["People"];
export type Reply = Shapes["Reply"];
export type SentToOperator = Shapes["SentToOperator"];
export type Ticket = Shapes["Ticket"];
