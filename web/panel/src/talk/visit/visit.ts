import { answers, Backoff, Outbox, realTimers, Refusal, SharedConnection, tryAgain, WidgetDoor, type ConnectionState, type Courier, type ErrorCode, type MakeSocket, type MessageForVisitor, type MessagePoint, type OutboxItem, type VisitorSignal, type VisitorState, type Welcome } from "@ocs/protocol";
import type { Ocs } from "@ocs/launcher/host";
import { Conversations } from "./conversations.ts";
import { Hints } from "./hints.ts";
import { PageWatch } from "./page_watch.ts";
import { inTurn } from "./turn.ts";
import { claimedId, details } from "../../identity.ts";
import { Record } from "../../record.ts";

export type VisitEvents = {
  changed(): void;
  /** Something was read: the list stays as it is. */
  read(): void;
  /** A message that was not on the screen before. */
  arrived(message: MessageForVisitor): void;
  signal(signal: VisitorSignal): void;
  started(visitor: VisitorState["visitor"]): void;
  /** The thread of someone else left the screen. */
  dropped(): void;
  problem(code: ErrorCode, message: string): void;
  /** Said by another tab. */
  local(said: unknown): void;
};

/** An agent may write into a closed conversation; for this long a page that is opened asks. */
const LOOKED_AFTER_MS = 7 * 86_400_000;
const FOREVER = Number.MAX_SAFE_INTEGER;
const WAKE = [window, document, answers];

/** One person at one site: who they are, their threads, and the line to the server. Knows no element. */
export class Visit {
  readonly conversations = new Conversations();
  readonly hints = new Hints(this.conversations);
  readonly page = new PageWatch((page) => this.hints.page(page));
  readonly outbox: Outbox;
  welcome: Welcome | null = null;
  visitor: VisitorState["visitor"] | null = null;
  line: ConnectionState = "stopped";
  /** Why nobody is let in at the moment. The visitor keeps its token and asks again. */
  problem: ErrorCode | null = null;
  #generation = 0;
  #warned = "";
  #starting: Promise<void> | null = null;
  #retry = () => {};
  readonly #backoff = new Backoff(realTimers);
  /** A policy stands for minutes or days, on any number of open pages: each asks every 150 s on average. */
  readonly #refusals = new Backoff(realTimers, 30_000, 300_000);

  constructor(
    readonly door: WidgetDoor,
    readonly record: Record,
    private readonly ocs: Ocs,
    private readonly locale: string,
    private readonly events: VisitEvents,
    carrier: Pick<Courier, "deliver" | "lighten">,
    private readonly socket?: MakeSocket,
  ) {
    this.outbox = new Outbox(record.outbox(), { ...carrier, holds: (item) => this.#holds(item), changed: () => events.changed(), unauthorised: (code) => this.#refused(code as ErrorCode, "") });
    this.outbox.load();
    if (this.outbox.items.length > 0) this.outbox.resume();
  }

  /** Makes or takes up the visit. Many may ask at once; one request goes out. */
  start(): Promise<void> {
    if (this.visitor !== null) return Promise.resolve();
    return (this.#starting ??= this.#start().finally(() => (this.#starting = null)));
  }

  /** The site may have told us about someone else. Whoever was on the screen leaves it before any request. */
  identified(): void {
    const claimed = claimedId(this.ocs);
    const { owner, anonymous, token } = this.record.kept;
    const other = owner !== undefined && !anonymous && owner !== claimed;
    const active = this.visitor !== null || this.#starting !== null || this.problem !== null;
    if (other) this.drop();
    this.problem = null;
    if (!active && !(token && !other)) return;
    // From anonymous the old token goes along, and the thread is kept.
    this.#generation += 1;
    this.#starting = null;
    this.visitor = null;
    this.#disconnect();
    this.start().catch(() => {});
  }

  async logout(): Promise<void> {
    const token = this.record.kept.token ?? this.door.token;
    this.drop();
    // Not deleted: `externalId` is watched.
    for (const field of ["externalId", "identityToken", "nickname", "email", "attributes"] as const) this.ocs[field] = undefined;
    if (!token) return;
    const leaving = new WidgetDoor(this.door.origin, "");
    leaving.token = token;
    await leaving.logout().catch(() => {});
  }

  /** Nothing of this person stays: not on the screen, not in the queue, not in the browser. */
  drop(): void {
    this.#generation += 1;
    this.#starting = null;
    this.#retry();
    this.#disconnect();
    this.outbox.clear();
    this.conversations.load({ conversations: [], messages: [], more: false });
    this.visitor = null;
    this.problem = null;
    this.door.token = null;
    this.record.forgetVisitor();
    this.events.dropped();
  }

  stop(): void {
    this.#generation += 1;
    this.#starting = null;
    this.#retry();
    this.outbox.stop();
    this.#disconnect();
  }

  /** true while older messages came. */
  async older(): Promise<void> {
    const before = this.conversations.oldest;
    if (before === null || !this.conversations.more) return;
    const generation = this.#generation;
    const page = await this.door.history(before);
    if (generation === this.#generation) this.conversations.older(page);
    this.events.changed();
  }

  /** A message the server now holds, from whichever way it came first. */
  take(message: MessageForVisitor): void {
    const { hasOpen } = this.conversations;
    const { arrived, gap } = this.conversations.add(message);
    if (message.client_id !== null) this.outbox.remove(message.client_id);
    // First of all, so that the list is drawn with what is said of the message, and not after it.
    this.events.changed();
    if (arrived !== null) this.events.arrived(arrived);
    if (gap !== null) void this.#fill(gap);
    if (hasOpen !== this.conversations.hasOpen) this.#keepUntil();
  }

  markSeen(conversation: string, seq: number): void {
    if (!this.conversations.markSeen(conversation, seq)) return;
    this.hints.seen(conversation, seq);
    this.events.read();
  }

  async #start(): Promise<void> {
    const generation = this.#generation;
    // What the site sets right after the id belongs to the same person.
    await new Promise((later) => setTimeout(later));
    if (generation === this.#generation) await inTurn(`ocs:start:${this.door.key}`, this.record, () => this.#enter(generation));
    if (generation !== this.#generation) return this.#starting ?? undefined;
  }

  async #enter(generation: number): Promise<void> {
    if (generation !== this.#generation) return;
    const claimed = claimedId(this.ocs);
    const { owner, anonymous, token } = this.record.kept;
    if (owner !== undefined && !anonymous && owner !== claimed) this.record.forgetVisitor();
    else if (token !== undefined) this.door.token = token;
    const external_id = claimed ?? this.record.anonymousId();
    this.#connectAs(external_id);
    try {
      const state = await this.#ask(external_id);
      if (generation === this.#generation) this.#started(state, external_id, claimed === null);
    } catch (error) {
      if (generation === this.#generation) this.#failed(error);
      throw error;
    }
  }

  async #ask(external_id: string): Promise<VisitorState> {
    const mended: string[] = [];
    const state = await this.door.start({ external_id, anonymous: claimedId(this.ocs) === null, ...details(this.ocs, this.locale, this.page.now(), mended) });
    // Tells whoever makes the site, once.
    const said = [...mended, ...state.mended].join("; ");
    if (said !== "" && said !== this.#warned) console.warn(`[OCS] ${said}`);
    this.#warned = said;
    return state;
  }

  async #holds({ client_id }: OutboxItem): Promise<boolean> {
    if (this.visitor === null) throw new Error("not started");
    const generation = this.#generation;
    const { messages } = await this.#ask(this.visitor.external_id);
    const message = messages.find((held) => held.client_id === client_id);
    if (message && generation === this.#generation) this.take(message);
    return message !== undefined;
  }

  #started(state: VisitorState, owner: string, anonymous: boolean): void {
    if (state.token !== null) this.door.token = state.token;
    this.record.keep({ token: this.door.token ?? undefined, owner, anonymous });
    this.visitor = state.visitor;
    this.welcome = state.welcome;
    this.conversations.load(state);
    this.problem = null;
    this.#backoff.reset();
    this.#refusals.reset();
    for (const message of state.messages) if (message.client_id !== null) this.outbox.remove(message.client_id);
    this.#keepUntil();
    this.hints.connection?.start(state.cursor);
    this.page.start();
    this.outbox.resume();
    this.events.started(state.visitor);
    this.events.changed();
  }

  #failed(error: unknown): void {
    if (!(error instanceof Refusal)) this.#later();
    else if (error.status === 429 || error.status >= 500) this.#later((error.retryAfterS ?? 0) * 1_000);
    else this.#refused(error.code, error.message);
  }

  /** Where the token has ended, the visitor starts anew, with what waits to be sent. Any other refusal may be lifted. */
  #refused(code: ErrorCode, message: string): void {
    this.#generation += 1;
    this.#starting = null;
    this.visitor = null;
    this.outbox.pause();
    if (code === "invalid_token") {
      // Another tab may have a new one already.
      if (this.record.kept.token === this.door.token) this.record.keep({ token: undefined });
      this.door.token = null;
      return this.#later();
    }
    this.#disconnect();
    if (code !== this.problem) this.events.problem((this.problem = code), message);
    this.#later(0, this.#refusals);
  }

  #later(atLeast = 0, backoff = this.#backoff): void {
    this.#retry();
    const wait = Math.max(atLeast, backoff.next());
    const work = () => void this.start().catch(() => {});
    this.#retry = atLeast > 0 ? realTimers.after(wait, work) : tryAgain(realTimers, wait, WAKE, work);
    this.events.changed();
  }

  #connectAs(id: string): void {
    if (this.hints.connection !== null) return;
    const generation = this.#generation;
    const current = () => generation === this.#generation || this.visitor !== null;
    this.hints.connection = new SharedConnection(
      `ocs:${this.door.origin}:${id}`,
      this.door.line(),
      {
        event: (event) => {
          if (!current()) return;
          if (event.kind === "message_sent") return this.take(event.message);
          if (!this.conversations.apply(event)) return;
          this.#keepUntil();
          this.events.changed();
        },
        signal: (signal) => this.events.signal(signal),
        live: () => {
          this.hints.repeat();
          this.page.look();
        },
        resync: () => this.#again(),
        refused: (code, message) => this.#refused(code, message),
        changed: (line) => {
          this.line = line;
          if (line === "live") this.outbox.resume();
          this.events.changed();
        },
        local: (said) => this.events.local(said),
      },
      { locks: navigator.locks, channel: typeof BroadcastChannel === "undefined" ? undefined : (name) => new BroadcastChannel(name), page: window, leaves: this.socket && "beforeunload", socket: this.socket, wake: WAKE },
    );
  }

  #disconnect(): void {
    this.hints.stop();
    this.page.stop();
    this.hints.connection?.stop();
    this.hints.connection = null;
    this.line = "stopped";
  }

  #again(): void {
    this.visitor = null;
    this.start().catch(() => {});
  }

  async #fill(before: MessagePoint): Promise<void> {
    const generation = this.#generation;
    try {
      const { messages } = await this.door.history(before);
      if (generation !== this.#generation) return;
      this.conversations.messages.fill(messages.filter((message) => message.conversation === before.conversation));
      this.events.changed();
    } catch {
      // The next start brings the whole state.
    }
  }

  #keepUntil(): void {
    if (this.visitor === null) return;
    const { hasOpen, list } = this.conversations;
    const { until: kept } = this.record.kept;
    // A closed one is still looked after for a while from when this browser saw it closed.
    const closed = kept === undefined || kept === FOREVER ? Date.now() + LOOKED_AFTER_MS : kept;
    const until = hasOpen ? FOREVER : list.length > 0 ? closed : undefined;
    if (kept !== until) this.record.keep({ until });
  }
}
