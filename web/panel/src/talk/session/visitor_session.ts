import { responses, Backoff, Outbox, realTimers, ApiError, SharedConnection, scheduleRetry, WidgetApi, type ConnectionState, type OutboxHost, type ErrorCode, type MakeSocket, type MessageForVisitor, type MessagePoint, type OutboxItem, type VisitorSignal, type VisitorState, type Welcome } from "@ocs/protocol";
import type { Ocs } from "@ocs/launcher/host";
import { Conversations } from "./conversations.ts";
import { Hints } from "./hints.ts";
import { PageReporter } from "./page_reporter.ts";
import { startInTurn } from "./start_lock.ts";
import { claimedId, details } from "../../identity.ts";
import { SiteStore } from "../../site_store.ts";

export type SessionEvents = {
  changed(): void;
  /** Messages were read: the list itself does not change. */
  read(): void;
  /** A new message. */
  messageReceived(message: MessageForVisitor): void;
  signal(signal: VisitorSignal): void;
  started(visitor: VisitorState["visitor"]): void;
  /** All data of the previous visitor was removed. */
  cleared(): void;
  problem(code: ErrorCode, message: string): void;
  /** A message from another tab. */
  local(message: unknown): void;
};

/** An agent may write into a closed conversation; for this long each page load checks for it. */
const CHECK_CLOSED_MS = 7 * 86_400_000;
const FOREVER = Number.MAX_SAFE_INTEGER;
const WAKE = [window, document, responses];

/** The session of a visitor on one site: identity, conversations and the connection. Does not touch the DOM. */
export class VisitorSession {
  readonly conversations = new Conversations();
  readonly hints = new Hints(this.conversations);
  readonly page = new PageReporter((page) => this.hints.page(page));
  readonly outbox: Outbox;
  welcome: Welcome | null = null;
  visitor: VisitorState["visitor"] | null = null;
  connectionState: ConnectionState = "stopped";
  /** Why the server currently refuses the visitor, who keeps the token and retries. */
  problem: ErrorCode | null = null;
  #generation = 0;
  #lastWarning = "";
  #starting: Promise<void> | null = null;
  #retry = () => {};
  readonly #backoff = new Backoff(realTimers);
  /** A refusal by policy lasts minutes or days and may affect many open pages: each retries every 150 s on average. */
  readonly #refusalBackoff = new Backoff(realTimers, 30_000, 300_000);

  constructor(
    readonly api: WidgetApi,
    readonly store: SiteStore,
    private readonly ocs: Ocs,
    private readonly locale: string,
    private readonly events: SessionEvents,
    sender: Pick<OutboxHost, "deliver" | "shrinkImage">,
    private readonly socket?: MakeSocket,
  ) {
    this.outbox = new Outbox(store.outbox(), { ...sender, isStored: (item) => this.#isStored(item), changed: () => events.changed(), unauthorised: (code) => this.#onRefused(code as ErrorCode, "") });
    this.outbox.load();
    if (this.outbox.items.length > 0) this.outbox.resume();
  }

  /** Starts or resumes the session. Concurrent calls share one request. */
  start(): Promise<void> {
    if (this.visitor !== null) return Promise.resolve();
    return (this.#starting ??= this.#start().finally(() => (this.#starting = null)));
  }

  /** The page's identity options changed, possibly to somebody else. Then the previous visitor's data is removed before any request. */
  identified(): void {
    const claimed = claimedId(this.ocs);
    const { owner, anonymous, token } = this.store.data;
    const other = owner !== undefined && !anonymous && owner !== claimed;
    const active = this.visitor !== null || this.#starting !== null || this.problem !== null;
    if (other) this.drop();
    this.problem = null;
    if (!active && !(token && !other)) return;
    // An anonymous visitor's token is sent along, so that the thread is kept.
    this.#generation += 1;
    this.#starting = null;
    this.visitor = null;
    this.#disconnect();
    this.start().catch(() => {});
  }

  async logout(): Promise<void> {
    const token = this.store.data.token ?? this.api.token;
    this.drop();
    // Set instead of deleted, because `externalId` is an accessor property.
    for (const field of ["externalId", "identityToken", "nickname", "email", "attributes"] as const) this.ocs[field] = undefined;
    if (!token) return;
    const loggedOutApi = new WidgetApi(this.api.origin, "");
    loggedOutApi.token = token;
    await loggedOutApi.logout().catch(() => {});
  }

  /** Removes everything of this visitor: from the screen, the outbox and the browser's storage. */
  drop(): void {
    this.#generation += 1;
    this.#starting = null;
    this.#retry();
    this.#disconnect();
    this.outbox.clear();
    this.conversations.load({ conversations: [], messages: [], more: false });
    this.visitor = null;
    this.problem = null;
    this.api.token = null;
    this.store.forgetVisitor();
    this.events.cleared();
  }

  stop(): void {
    this.#generation += 1;
    this.#starting = null;
    this.#retry();
    this.outbox.stop();
    this.#disconnect();
  }

  /** Loads an older page of history. */
  async older(): Promise<void> {
    const before = this.conversations.oldest;
    if (before === null || !this.conversations.more) return;
    const generation = this.#generation;
    const page = await this.api.history(before);
    if (generation === this.#generation) this.conversations.older(page);
    this.events.changed();
  }

  /** Adds a message that the server has stored, from its event or a response, whichever is first. */
  take(message: MessageForVisitor): void {
    const { hasOpen } = this.conversations;
    const { added, gap } = this.conversations.add(message);
    if (message.client_id !== null) this.outbox.remove(message.client_id);
    // Before the announcement, so that the list is rendered together with it.
    this.events.changed();
    if (added !== null) this.events.messageReceived(added);
    if (gap !== null) void this.#fillGap(gap);
    if (hasOpen !== this.conversations.hasOpen) this.#updateUntil();
  }

  markSeen(conversation: string, seq: number): void {
    if (!this.conversations.markSeen(conversation, seq)) return;
    this.hints.seen(conversation, seq);
    this.events.read();
  }

  async #start(): Promise<void> {
    const generation = this.#generation;
    // Options that the site sets right after the id belong to the same person.
    await new Promise((later) => setTimeout(later));
    if (generation === this.#generation) await startInTurn(`ocs:start:${this.api.key}`, this.store, () => this.#startOnce(generation));
    if (generation !== this.#generation) return this.#starting ?? undefined;
  }

  async #startOnce(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const claimed = claimedId(this.ocs);
    const { owner, anonymous, token } = this.store.data;
    if (owner !== undefined && !anonymous && owner !== claimed) this.store.forgetVisitor();
    else if (token !== undefined) this.api.token = token;
    const external_id = claimed ?? this.store.anonymousId();
    this.#connect(external_id);
    try {
      const state = await this.#requestState(external_id);
      if (generation === this.#generation) this.#onStarted(state, external_id, claimed === null);
    } catch (error) {
      if (generation === this.#generation) this.#onStartFailed(error);
      throw error;
    }
  }

  async #requestState(external_id: string): Promise<VisitorState> {
    const corrected: string[] = [];
    const state = await this.api.start({ external_id, anonymous: claimedId(this.ocs) === null, ...details(this.ocs, this.locale, this.page.current(), corrected) });
    // Warns the site's developer, once.
    const warning = [...corrected, ...state.mended].join("; ");
    if (warning !== "" && warning !== this.#lastWarning) console.warn(`[OCS] ${warning}`);
    this.#lastWarning = warning;
    return state;
  }

  async #isStored({ client_id }: OutboxItem): Promise<boolean> {
    if (this.visitor === null) throw new Error("not started");
    const generation = this.#generation;
    const { messages } = await this.#requestState(this.visitor.external_id);
    const message = messages.find((held) => held.client_id === client_id);
    if (message && generation === this.#generation) this.take(message);
    return message !== undefined;
  }

  #onStarted(state: VisitorState, owner: string, anonymous: boolean): void {
    if (state.token !== null) this.api.token = state.token;
    this.store.save({ token: this.api.token ?? undefined, owner, anonymous });
    this.visitor = state.visitor;
    this.welcome = state.welcome;
    this.conversations.load(state);
    this.problem = null;
    this.#backoff.reset();
    this.#refusalBackoff.reset();
    for (const message of state.messages) if (message.client_id !== null) this.outbox.remove(message.client_id);
    this.#updateUntil();
    this.hints.connection?.start(state.cursor);
    this.page.start();
    this.outbox.resume();
    this.events.started(state.visitor);
    this.events.changed();
  }

  #onStartFailed(error: unknown): void {
    if (!(error instanceof ApiError)) this.#retryLater();
    else if (error.status === 429 || error.status >= 500) this.#retryLater((error.retryAfterS ?? 0) * 1_000);
    else this.#onRefused(error.code, error.message);
  }

  /** If the token has ended, starts a new session and keeps the outbox. Any other refusal may be lifted, so it retries. */
  #onRefused(code: ErrorCode, message: string): void {
    this.#generation += 1;
    this.#starting = null;
    this.visitor = null;
    this.outbox.pause();
    if (code === "invalid_token") {
      // Another tab may have stored a new token already.
      if (this.store.data.token === this.api.token) this.store.save({ token: undefined });
      this.api.token = null;
      return this.#retryLater();
    }
    this.#disconnect();
    if (code !== this.problem) this.events.problem((this.problem = code), message);
    this.#retryLater(0, this.#refusalBackoff);
  }

  #retryLater(atLeast = 0, backoff = this.#backoff): void {
    this.#retry();
    const wait = Math.max(atLeast, backoff.next());
    const work = () => void this.start().catch(() => {});
    this.#retry = atLeast > 0 ? realTimers.after(wait, work) : scheduleRetry(realTimers, wait, WAKE, work);
    this.events.changed();
  }

  #connect(id: string): void {
    if (this.hints.connection !== null) return;
    const generation = this.#generation;
    const current = () => generation === this.#generation || this.visitor !== null;
    this.hints.connection = new SharedConnection(
      `ocs:${this.api.origin}:${id}`,
      this.api.endpoint(),
      {
        event: (event) => {
          if (!current()) return;
          if (event.kind === "message_sent") return this.take(event.message);
          if (!this.conversations.apply(event)) return;
          this.#updateUntil();
          this.events.changed();
        },
        signal: (signal) => this.events.signal(signal),
        live: () => {
          this.hints.repeat();
          this.page.look();
        },
        resync: () => this.#resync(),
        refused: (code, message) => this.#onRefused(code, message),
        changed: (connectionState) => {
          this.connectionState = connectionState;
          if (connectionState === "live") this.outbox.resume();
          this.events.changed();
        },
        local: (message) => this.events.local(message),
      },
      { locks: navigator.locks, channel: typeof BroadcastChannel === "undefined" ? undefined : (name) => new BroadcastChannel(name), page: window, leaves: this.socket && "beforeunload", socket: this.socket, wake: WAKE },
    );
  }

  #disconnect(): void {
    this.hints.stop();
    this.page.stop();
    this.hints.connection?.stop();
    this.hints.connection = null;
    this.connectionState = "stopped";
  }

  #resync(): void {
    this.visitor = null;
    this.start().catch(() => {});
  }

  async #fillGap(before: MessagePoint): Promise<void> {
    const generation = this.#generation;
    try {
      const { messages } = await this.api.history(before);
      if (generation !== this.#generation) return;
      this.conversations.messages.fill(messages.filter((message) => message.conversation === before.conversation));
      this.events.changed();
    } catch {
      // The next start loads the whole state.
    }
  }

  #updateUntil(): void {
    if (this.visitor === null) return;
    const { hasOpen, list } = this.conversations;
    const { until: kept } = this.store.data;
    // For a closed conversation, keep checking for a while from when this browser saw it closed.
    const closed = kept === undefined || kept === FOREVER ? Date.now() + CHECK_CLOSED_MS : kept;
    const until = hasOpen ? FOREVER : list.length > 0 ? closed : undefined;
    if (kept !== until) this.store.save({ until });
  }
}
