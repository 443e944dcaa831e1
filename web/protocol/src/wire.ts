// Every shape that crosses the wire, as the server describes it.
// Names are snake_case on the wire; times are 64-bit milliseconds UTC.

// ---------------------------------------------------------------- shared

/** Position in the event log. Opaque: keep it, send it back, never look inside. */
export type Cursor = string;

export type Side = "visitor" | "agent";

export type ErrorBody = {
  error: {
    /** Stable machine code, e.g. "sending_too_frequently". */
    code: ErrorCode;
    /** Says what happened and what to do. Safe to show. */
    message: string;
    /** Whole seconds to wait, on 429 and 503. */
    retry_after_s?: number;
    /** The form field at fault, e.g. "email"; for refused colours `nearest` offers a readable one. */
    field?: string;
    nearest?: string;
  };
};

export type ErrorCode =
  | "invalid_request" | "too_large" | "not_found" | "method_not_allowed"
  | "not_signed_in" | "wrong_credentials" | "csrf" | "forbidden_origin" | "signup_closed" | "email_taken" | "weak_password"
  | "invalid_token" | "unknown_site" | "site_paused" | "identity_required" | "invalid_identity"
  | "sending_too_frequently" | "too_many_requests"
  | "empty_message" | "text_too_long" | "invalid_image" | "image_too_large"
  | "conflict" | "unreadable_colours" | "storage_full" | "unavailable" | "internal";

export type Image = {
  /** Random public name, also the handle used in `send`. */
  id: string;
  url: string;
  thumb_url: string;
  width: number;
  height: number;
  animated: boolean;
};

export type Variant = "classic" | "minimal" | "bubble";
export type Position = "bottom-left" | "bottom-right";
export type Scheme = "auto" | "light" | "dark";
export type Locale = "en" | "zh-CN" | "es" | "fr" | "ja";
export type IdentityMode = "same_browser" | "shared" | "signed_only";

export type Look = {
  variant: Variant;
  position: Position;
  scheme: Scheme;
  /** All colours "#rrggbb". */
  primary: string;
  primary_text: string;
  header: string;
  header_text: string;
};

// ---------------------------------------------------------------- launcher

/** What the server writes into widget.js in place of __OCS_SITE__. Short names: it is paid by every page view. */
export type LauncherSite = {
  /** Widget key. */ k: string;
  /** Origin of the server, e.g. "https://chat.example". */ o: string;
  /** Site name. */ n: string;
  /** variant, position, scheme, primary, primary_text, header, header_text */
  l: [Variant, Position, Scheme, string, string, string, string];
  /** Path of the panel module. */ p: string;
  /** Its integrity value ("sha384-…"), empty in development. */ i: string;
  /** 1 in the dashboard's live preview: sample messages, no network. */ v?: 1;
};

// ---------------------------------------------------------------- widget door

/** GET /api/widget/welcome?key=K&lang=L: simple cross-origin GET, no credentials, no preflight. */
export type Welcome = {
  name: string;
  /** Empty: the widget's own default greeting in the visitor's language. */
  welcome: string;
  logo_url: string | null;
  operators_online: boolean;
  limits: Limits;
};

export type Limits = { text_graphemes: number; text_bytes: number; image_bytes: number };

/**
 * POST /api/widget, one constant path for every change, so that a browser preflights once.
 * Authorization: Bearer <visitor token> on all but the first `start`.
 */
export type WidgetCommand =
  | ({ do: "start" } & Start)
  | { do: "send"; client_id: string; text: string }
  | { do: "send"; client_id: string; image: string }
  | { do: "history"; before: MessagePoint }
  | { do: "hint"; hint: VisitorHint }
  | { do: "logout" };

/** Who the visitor is and where. Also used for identify(): with the old token, so that an anonymous thread is kept. */
export type Start = {
  key: string;
  external_id: string;
  /** true: external_id is the random ocs_external_id of this browser, not the site's own id. */
  anonymous: boolean;
  identity_token?: string;
  nickname?: string;
  email?: string;
  attributes?: Record<string, string>;
  page?: Page;
  /** BCP 47 language of the visitor, e.g. "fr-CA". */
  locale?: string;
  /** IANA zone, e.g. "Europe/Paris". */
  timezone?: string;
};

export type Page = { url: string; title: string; referrer: string };

export type MessagePoint = { conversation: string; seq: number };

/** Answer to `start`. The whole state; the socket then goes on from `cursor`. */
export type VisitorState = {
  /** Present when a new token was made: keep it in place of the old one. */
  token: string | null;
  visitor: { external_id: string; nickname: string | null; verified: boolean };
  conversations: ConversationForVisitor[];
  /** Newest 50, oldest first, over all of the visitor's conversations, in the order to show. */
  messages: MessageForVisitor[];
  more: boolean;
  cursor: Cursor;
  welcome: Welcome;
};

export type ConversationForVisitor = {
  /** Random public id. */
  id: string;
  state: "open" | "closed";
  last_seq: number;
  /** Watermarks of the operators over what the visitor wrote. */
  agent_delivered_seq: number;
  agent_seen_seq: number;
  /** Watermark of this visitor, and agent messages above it. */
  visitor_seen_seq: number;
  unread: number;
};

export type MessageForVisitor = {
  conversation: string;
  seq: number;
  from: Side;
  /** Set on the visitor's own messages only. */
  client_id: string | null;
  /** Display name of the agent; null for the visitor. */
  name: string | null;
  text: string;
  image: Image | null;
  at: number;
};

/** Answer to `send` */
export type SentToVisitor = { message: MessageForVisitor };
/** Answer to `history` */
export type HistoryForVisitor = { messages: MessageForVisitor[]; more: boolean };
/** Answer to POST /api/widget/images (raw bytes as body, Content-Type image/*) and to the console's upload */
export type Uploaded = { image: Image };

// ---------------------------------------------------------------- realtime: one protocol, two audiences

/** First frame up on GET /api/widget/socket, within 5 s. On the stream: Authorization and Last-Event-ID headers. */
export type VisitorHello = { type: "hello"; token: string; cursor: Cursor };
/** First frame up on GET /api/console/socket. The ticket comes from POST /api/console/ticket, lives 30 s, works once. */
export type OperatorHello = { type: "hello"; ticket: string; cursor: Cursor };

export type VisitorHint =
  | { type: "alive" }
  | { type: "typing" }
  | { type: "delivered"; conversation: string; seq: number }
  | { type: "seen"; conversation: string; seq: number }
  | { type: "page"; page: Page };

export type OperatorHint =
  | { type: "alive" }
  | { type: "typing"; site_id: number; conversation_id: number }
  | { type: "delivered"; site_id: number; conversation_id: number; seq: number }
  | { type: "seen"; site_id: number; conversation_id: number; seq: number };

/** Everything that comes down. E is VisitorEvent or OperatorEvent, S the signals of that side. */
export type Frame<E, S> =
  /** Authenticated and caught up from here; missed events follow first, then live ones. */
  | { type: "welcome"; cursor: Cursor; beat_s: number }
  | { type: "event"; cursor: Cursor; event: E }
  /** Not stored, not repeated, may be dropped. */
  | { type: "signal"; signal: S }
  /** Every beat_s seconds. Keep the cursor; answer with the hint `alive`. Nothing for 2.5 × beat_s: reconnect. */
  | { type: "beat"; cursor: Cursor }
  /** The cursor is too old or from before a restore: load the state anew. The connection closes after it. */
  | { type: "resync"; reason: string }
  /** Reconnect after this many milliseconds. The connection closes (1012 restart, 4408 too slow, 4429 too many). */
  | { type: "bye"; reason: "restart" | "too_slow" | "too_many"; retry_after_ms: number }
  /** Not allowed (4401 bad token, session ended; 4403 origin). Do not retry with the same credential. */
  | { type: "refused"; code: ErrorCode; message: string };

export type VisitorEvent =
  | { kind: "message_sent"; message: MessageForVisitor }
  | { kind: "conversation_changed"; conversation: ConversationForVisitor }
  | { kind: "delivered"; conversation: string; by: Side; seq: number }
  | { kind: "seen"; conversation: string; by: Side; seq: number };

export type VisitorSignal =
  | { kind: "typing"; conversation: string; name: string | null }
  | { kind: "operators"; online: boolean };

export type OperatorEvent =
  | { kind: "message_sent"; message: MessageForOperator }
  /** Started, closed, reopened, moved to another visitor. */
  | { kind: "conversation_changed"; conversation: ConversationForOperator }
  | { kind: "delivered"; site_id: number; conversation_id: number; by: Side; seq: number }
  | { kind: "seen"; site_id: number; conversation_id: number; by: Side; seq: number; unread: number }
  | { kind: "visitor_changed"; visitor: VisitorForOperator }
  | { kind: "site_changed"; site_id: number };

export type OperatorSignal =
  | { kind: "typing"; site_id: number; conversation_id: number }
  | { kind: "presence"; site_id: number; visitor_id: number; online: boolean }
  | { kind: "page"; site_id: number; visitor_id: number; page: Page };

export type VisitorFrame = Frame<VisitorEvent, VisitorSignal>;
export type OperatorFrame = Frame<OperatorEvent, OperatorSignal>;

// ---------------------------------------------------------------- console door (cookie session; unsafe methods send X-CSRF-Token)

/** GET /api/console/me; 401 not_signed_in carries nothing else. GET /api/console/about needs no session. */
export type About = { signup: "open" | "closed"; insecure: boolean; version: string };
export type Me = {
  account: { id: number; email: string; name: string; created_at: number };
  csrf: string;
  session_id: number;
  public_url: string;
  /** true on plain http: show the warning bar. */
  insecure: boolean;
};

export type SignUp = { email: string; password: string; name?: string };   // POST sign-up → Me
export type SignIn = { email: string; password: string };                  // POST sign-in → Me
                                                                           // POST sign-out → {}
export type ChangePassword = { current: string; new: string };             // POST account/password → {} (other sessions end)
export type DeleteAccount = { password: string };                          // POST account/delete → {}
export type Rename = { name: string };                                     // POST account/name → Me

export type SessionView = { id: number; current: boolean; created_at: number; last_seen_at: number; address: string; browser: string };
export type Sessions = { sessions: SessionView[] };                        // GET account/sessions; DELETE account/sessions/{id}

export type SiteView = {
  id: number;
  name: string;
  paused: boolean;
  widget_key: string;
  look: Look;
  /** Per language; a missing one falls back to English, then to the widget's own greeting. At most 500 graphemes each. */
  welcome: Partial<Record<Locale, string>>;
  logo_url: string | null;
  limits: SiteLimits;
  /** Host names ("shop.example", "*.shop.example"); empty: any. */
  allowed_domains: string[];
  identity_mode: IdentityMode;
  /** true: chat_api shows an opaque agent_… id in place of the caller's own key. */
  opaque_agent_ids: boolean;
  chat_keys: KeyView[];
  identity_secrets: KeyView[];
  /** Last page that loaded the widget: "we saw your page". */
  seen_page: { origin: string; at: number } | null;
  unread: number;
  created_at: number;
};
export type SiteLimits = {
  /** 1–600 */ messages_per_minute: number;
  /** 1–1,000,000 */ api_per_minute: number;
  /** 64 KiB – 20 MiB */ image_bytes: number;
};
/** A secret is shown once, when made; later only its last four characters. */
export type KeyView = { id: number; last4: string; created_at: number; last_used_at: number | null; expires_at: number | null };
export type NewKey = { key: KeyView; secret: string };

export type Sites = { sites: SiteView[] };                 // GET sites
export type CreateSite = { name: string };                 // POST sites → { site: SiteView, chat_key: NewKey }
export type SiteCreated = { site: SiteView; chat_key: NewKey };
/** PATCH sites/{id} → SiteView. Absent: unchanged. */
export type ConfigureSite = Partial<Pick<SiteView, "name" | "paused" | "look" | "welcome" | "limits" | "allowed_domains" | "identity_mode" | "opaque_agent_ids">>;
// GET    sites/{id} → SiteView            DELETE sites/{id} → {}
// PUT    sites/{id}/logo (raw image bytes) → SiteView      DELETE sites/{id}/logo → SiteView
// POST   sites/{id}/chat-keys {grace_s?} → NewKey: a new key; older ones expire after the grace (default 86,400 s; 0 at once)
// DELETE sites/{id}/chat-keys/{key} → {}                 revoke now
// POST   sites/{id}/widget-key {grace_s?} → SiteView       new public key; the old one works until the grace ends
// POST   sites/{id}/identity-secrets → NewKey; DELETE sites/{id}/identity-secrets/{secret} → {}   (two at most)
// GET    sites/{id}/preview?look=<JSON of Look>&welcome=<text> → HTML page that runs the real widget with that look

export type VisitorForOperator = {
  site_id: number;
  id: number;
  external_id: string;
  anonymous: boolean;
  verified: boolean;
  nickname: string | null;
  email: string | null;
  attributes: Record<string, string>;
  page: Page | null;
  /** "Chromium 156 on Linux" */
  browser: string | null;
  mobile: boolean;
  locale: string | null;
  timezone: string | null;
  online: boolean;
  first_seen_at: number;
  last_seen_at: number;
};

export type ConversationForOperator = {
  site_id: number;
  id: number;
  visitor: VisitorForOperator;
  /** true: what this thread's writer claims to be is signed. */
  verified: boolean;
  state: "open" | "closed";
  last_seq: number;
  last_message: { from: Side; text: string; image: boolean; at: number } | null;
  visitor_delivered_seq: number;
  visitor_seen_seq: number;
  agent_delivered_seq: number;
  agent_seen_seq: number;
  /** Visitor messages above agent_seen_seq. */
  unread: number;
  created_at: number;
  updated_at: number;
};

export type MessageForOperator = {
  site_id: number;
  conversation_id: number;
  seq: number;
  from: Side;
  /** Set on messages that an operator sent from a console. */
  client_id: string | null;
  name: string | null;
  text: string;
  image: Image | null;
  at: number;
};

/** GET conversations?state=open|closed|all&site=ID&unread=true&before=POINT&limit=50 */
export type Inbox = {
  conversations: ConversationForOperator[];
  /** Pass as `before` for the next page; null at the end. Order: updated_at falling. */
  next: string | null;
  /** Counts over all of the operator's sites (or the asked one). */
  counts: { open: number; unread: number };
  cursor: Cursor;
};
/** GET sites/{site}/conversations/{id}?before_seq=N&limit=50 */
export type Thread = { conversation: ConversationForOperator; messages: MessageForOperator[]; more: boolean };
/** POST sites/{site}/conversations/{id}/messages */
export type Reply = { client_id: string; text: string } | { client_id: string; image: string };
export type SentToOperator = { message: MessageForOperator };
// POST sites/{site}/conversations/{id}/close | reopen → ConversationForOperator
// POST sites/{site}/images (raw bytes) → Uploaded
// POST ticket → { ticket: string }
// POST hint (body OperatorHint) → {}    for the event stream, where no socket carries hints
// GET  socket (WebSocket) · GET stream (text/event-stream; header Last-Event-ID: cursor)
