/**
 * Every shape that crosses the wire, by the names used here. The shapes themselves come from the server's own
 * description (`npm run wire`); this file only names them. What they mean: docs/protocol.md.
 */
import type { components } from "./wire.generated.ts";

type Shapes = components["schemas"];

// ---------------------------------------------------------------- shared

/** Position in the event log. Opaque: keep it, send it back, never look inside. */
export type Cursor = Inbox["cursor"];
export type Side = Shapes["Side"];
export type ErrorBody = Shapes["ErrorBody"];
export type ErrorCode = Shapes["ErrorCode"];
export type Image = Shapes["Image"];
/** Answer to a picture's bytes, at both doors. */
export type Uploaded = Shapes["Uploaded"];
export type Page = Shapes["Page"];
/** A page as the visitor's browser tells of it. */
export type PageSaid = Shapes["PageSaid"];

export type Look = Shapes["Look"];
export type Variant = Shapes["Variant"];
export type Position = Shapes["Position"];
export type Scheme = Shapes["Scheme"];
/** Languages that the widget speaks. */
export type Locale = keyof SiteView["welcome"];
export type IdentityMode = Shapes["IdentityMode"];

// ---------------------------------------------------------------- widget door

export type LauncherSite = Shapes["LauncherSite"];
export type Welcome = Shapes["Welcome"];
export type Limits = Shapes["Limits"];

export type WidgetCommand = Shapes["Command"];
/** Who the visitor is and where. With the old token it names an anonymous visitor, whose thread is kept. */
export type Start = Omit<Extract<WidgetCommand, { do: "start" }>, "do">;
export type MessagePoint = Shapes["Point"];
export type VisitorState = Shapes["VisitorState"];
export type ConversationForVisitor = Shapes["ConversationForVisitor"];
export type MessageForVisitor = Shapes["MessageForVisitor"];
export type SentToVisitor = Shapes["SentToVisitor"];
export type HistoryForVisitor = Shapes["HistoryForVisitor"];

// ---------------------------------------------------------------- the line: one protocol, two audiences

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
/** What comes down, for whichever audience: E is its events, S its signals. */
export type Frame<E, S> = Carrying<VisitorFrame, E, S>;

// ---------------------------------------------------------------- console door

export type About = Shapes["About"];
export type Me = Shapes["Me"];
export type SignUp = Shapes["SignUp"];
export type SignIn = Shapes["SignIn"];
export type ChangePassword = Shapes["ChangePassword"];
export type DeleteAccount = Shapes["DeleteAccount"];
export type Confirm = Shapes["Confirm"];
export type Rename = Shapes["Rename"];
export type SessionView = Shapes["SessionView"];
export type Sessions = Shapes["Sessions"];
export type SecondFactorState = Shapes["SecondFactorState"];
export type SecondFactorSecret = Shapes["SecondFactorSecret"];
export type ShowBoth = Shapes["ShowBoth"];
export type RecoveryCodes = Shapes["RecoveryCodes"];
export type AuditLine = Shapes["AuditLine"];
export type AuditLines = Shapes["AuditLines"];

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
/** A page of messages that say what was looked for. */
export type Found = Shapes["Found"];
export type FoundMessage = Shapes["FoundMessage"];
/** A page of people, each with the conversation to open. */
export type People = Shapes["People"];
export type Reply = Shapes["Reply"];
export type SentToOperator = Shapes["SentToOperator"];
export type Ticket = Shapes["Ticket"];
