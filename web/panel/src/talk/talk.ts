import { createDayKey, randomId, groupIntoRows, WidgetApi, type ErrorCode, type MessageForVisitor, type OutboxItem, type VisitorSignal } from "@ocs/protocol";
import type { Chat } from "../chat.svelte.ts";
import { claimedName } from "../identity.ts";
import { Attention } from "./attention/attention.ts";
import Log from "./Log.svelte";
import { Pictures } from "./pictures.ts";
import { DisplayedMessages, type DisplayedMessage } from "./displayed_message.ts";
import { framedSocket } from "./session/framed_socket.ts";
import { VisitorSession } from "./session/visitor_session.ts";

/** The component that is loaded with this chunk. */
export const parts = { Log };
export type TalkParts = typeof parts;

const TYPING_LASTS_MS = 6_000;

/** Message between the tabs of one browser. */
type TabMessage = { watching: true };

/** Connects the chat's state with the visitor's session: shows what the server sends, and sends what the visitor does. */
export class Talk {
  readonly session: VisitorSession;
  readonly pictures: Pictures;
  readonly attention: Attention;
  readonly #api: WidgetApi;
  readonly #shown: DisplayedMessages;
  readonly #dayOf = createDayKey();
  #typingEnds: ReturnType<typeof setTimeout> | undefined;
  #drawing = false;
  #stopped = false;

  constructor(private readonly chat: Chat) {
    const { host, language, store } = chat;
    this.#api = new WidgetApi(host.site.o, host.site.k);
    this.pictures = new Pictures(chat, this.#api, () => this.changed());
    this.#shown = new DisplayedMessages(host.site.o, language.words.agent, (id) => this.pictures.shown(id));
    this.session = new VisitorSession(this.#api, store, host.ocs, language.locale, {
      changed: () => this.changed(),
      read: () => this.attention.unread(this.session.conversations.unread),
      messageReceived: (message) => this.#onMessage(message),
      signal: (signal) => this.#onSignal(signal),
      started: ({ external_id, nickname, verified }) => host.emit("identity", { externalId: external_id, nickname, verified }),
      cleared: () => this.#onCleared(),
      problem: (code, message) => this.#onProblem(code, message),
      local: (aside) => (aside as TabMessage).watching && this.attention.cancelSound(),
    }, { deliver: (item, cancelled, progress) => this.#send(item, cancelled, progress), shrinkImage: (item) => this.pictures.shrinkImage(item) }, navigator.vendor ? undefined : framedSocket(host.root));
    this.attention = new Attention(chat, (aside: TabMessage) => this.session.hints.connection?.postToTabs(aside));
    void this.pictures.recall(this.session.outbox.items);
    this.changed();
  }

  startSession(): void {
    void this.session.start().catch(() => {});
  }

  typing(): void {
    this.startSession();
    this.session.hints.typing();
  }

  /** Sends a message that was written before this chunk was loaded. Sending is idempotent. */
  take(item: OutboxItem): void {
    const { outbox } = this.session;
    if (!outbox.has(item.client_id)) outbox.add(item);
    this.startSession();
  }

  send(text: string): void {
    const { outbox } = this.session;
    if (text !== "") outbox.add({ client_id: randomId(), lane: "", text, image: null });
    for (const { id, name, type, shown } of this.pictures.take()) {
      outbox.add({ client_id: id, lane: "", text: "", image: { name, type, width: shown.width, height: shown.height } });
      this.pictures.keep(id);
    }
    outbox.resume();
    this.session.hints.sent();
  }

  addPictures(files: readonly File[]): void {
    void this.pictures.add(files);
    this.startSession();
  }

  retry(id: string): void {
    this.session.outbox.retry(id);
  }

  discard(id: string): void {
    this.session.outbox.remove(id);
    this.pictures.drop(id);
  }

  seen({ conversation, seq }: DisplayedMessage): void {
    if (conversation !== null) this.session.markSeen(conversation, seq);
  }

  async older(): Promise<void> {
    const { chat } = this;
    if (chat.loadingOlder || !chat.more) return;
    chat.loadingOlder = true;
    await this.session.older().catch(() => {});
    chat.loadingOlder = false;
  }

  /** Schedules one redraw for a burst of changes. */
  changed(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (!this.#stopped) this.#draw();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.session.stop();
    this.pictures.stop();
    this.attention.stop();
    clearTimeout(this.#typingEnds);
  }

  async #send(item: OutboxItem, cancelled: AbortSignal, progress: (part: number) => void): Promise<void> {
    // Rendered before it is sent, because the request takes longer than rendering.
    await new Promise((drawn) => setTimeout(drawn));
    // Its author may have logged out meanwhile: then no session is started.
    if (cancelled.aborted) return;
    await this.session.start();
    const body = item.image === null ? { text: item.text } : { image: await this.pictures.upload(item.client_id, cancelled, progress) };
    const { message } = await this.#api.send(item.client_id, body, cancelled);
    if (cancelled.aborted) return;
    this.session.take(message);
  }

  #draw(): void {
    const { chat } = this;
    const { conversations, outbox, visitor, welcome, connectionState, problem } = this.session;
    if (welcome !== null) chat.welcome = welcome;
    chat.nickname = visitor?.nickname ?? claimedName(chat.host.ocs);
    chat.rows = groupIntoRows(this.#shown.of(conversations, outbox.items), this.#dayOf, chat.rows);
    chat.more = conversations.more;
    chat.heldUntil = outbox.heldUntil;
    // An unknown visitor's welcome may have been refused before there was a session.
    if (problem || chat.known) {
      chat.problem = problem;
      chat.status.update(problem ? "live" : connectionState);
    }
    if (visitor !== null) this.attention.unread(conversations.unread);
  }

  #onMessage(message: MessageForVisitor): void {
    // Its event may be here before the response, and then ends the request.
    if (message.client_id !== null) this.pictures.drop(message.client_id);
    const { chat } = this;
    const { from, name, text, image, at, conversation, seq } = message;
    chat.host.emit("message", { from, name, text, image_url: image?.url ?? null, at });
    if (from === "visitor") return;
    const { words } = chat.language;
    chat.typist = null;
    chat.announcement = words.says(name ?? words.agent, image === null ? text : words.picture);
    this.session.hints.delivered(conversation, seq, chat.watching);
    this.attention.message(`${conversation} ${seq}`, this.session.hints.connection?.leading ?? true);
  }

  #onSignal(signal: VisitorSignal): void {
    const { chat, session } = this;
    if (signal.kind === "operators") {
      if (session.welcome !== null) session.welcome = { ...session.welcome, operators_online: signal.online };
      return this.changed();
    }
    chat.typist = signal.name ?? chat.language.words.agent;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => (chat.typist = null), TYPING_LASTS_MS);
  }

  #onCleared(): void {
    const { chat } = this;
    chat.draft = "";
    chat.problem = null;
    chat.typist = null;
    chat.enlarged = null;
    chat.announcement = "";
    this.pictures.clear();
    // Immediately, not with the next redraw.
    this.#draw();
    this.attention.unread(0);
    chat.host.emit("identity", null);
  }

  #onProblem(code: ErrorCode, message: string): void {
    const { chat } = this;
    console.warn(`[OCS] ${/ident/.test(code) ? "cannot be identified: " : ""}${message || code}`);
    this.changed();
    chat.host.emit("error", { code, message });
  }
}
