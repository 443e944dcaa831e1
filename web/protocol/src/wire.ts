/**
 * The types of everything that crosses the network, under the names that the web code uses. The types themselves are
 * generated from the server's OpenAPI description (`npm run wire`). What they mean: docs/protocol.md.
 */
import type { components } from "./wire.generated.ts";
import type { SiteView } from "./wire_team.ts";

export type * from "./wire_team.ts";

type Shapes = components["schemas"];

// ---------------------------------------------------------------- shared

/** A position in the event log. Opaque: store it and send it back, never parse it. */
export type Cursor = Inbox["cursor"];
export type Side = Shapes["Side"];
export type ErrorBody = Shapes["ErrorBody"];
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
export type OperatorFrame = Shapes["FrameOfOperatorEvent"];

type Carrying<F, E, S> = F extends { event: unknown } ? Omit<F, "event"> & { event: E } : F extends { signal: unknown } ? Omit<F, "signal"> & { signal: S } : F;
/** A frame from the server, for visitors or for operators: E is the type of its events, S of its signals. */
export type Frame<E, S> = Carrying<VisitorFrame, E, S>;

// ---------------------------------------------------------------- console API

export type About = Shapes["About"];
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
export type Inbox = Shapes["Inbox"];
/** A page of messages that match a search. */
export type Found = Shapes["Found"];
export type FoundMessage = Shapes["FoundMessage"];
/** A page of people who match a search, each with the conversation to open. */
export type People = Shapes["People"];
export type Reply = Shapes["Reply"];
export type Ticket = Shapes["Ticket"];
