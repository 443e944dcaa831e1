import { dayNamer, randomId, rowsOf, WidgetDoor, type ErrorCode, type MessageForVisitor, type OutboxItem, type VisitorSignal } from "@ocs/protocol";
import type { Chat } from "../chat.svelte.ts";
import { claimedName } from "../identity.ts";
import { Attention } from "./attention/attention.ts";
import Log from "./Log.svelte";
import { Pictures } from "./pictures.ts";
import { ShownMessages, type Shown } from "./shown.ts";
import { framedSocket } from "./visit/framed_socket.ts";
import { Visit } from "./visit/visit.ts";

/** The component that comes with it. */
export const parts = { Log };
export type TalkParts = typeof parts;

const TYPING_LASTS_MS = 6_000;

/** Said between the tabs of one browser. */
type Aside = { watching: true };

/** Turns what happens at the server into what the chat shows, and back. */
export class Talk {
  readonly visit: Visit;
  readonly pictures: Pictures;
  readonly attention: Attention;
  readonly #door: WidgetDoor;
  readonly #shown: ShownMessages;
  readonly #dayOf = dayNamer();
  #typingEnds: ReturnType<typeof setTimeout> | undefined;
  #drawing = false;
  #stopped = false;

  constructor(private readonly chat: Chat) {
    const { host, language, record } = chat;
    this.#door = new WidgetDoor(host.site.o, host.site.k);
    this.pictures = new Pictures(chat, this.#door, () => this.changed());
    this.#shown = new ShownMessages(host.site.o, language.words.agent, (id) => this.pictures.shown(id));
    this.visit = new Visit(this.#door, record, host.ocs, language.locale, {
      changed: () => this.changed(),
      read: () => this.attention.unread(this.visit.conversations.unread),
      arrived: (message) => this.#arrived(message),
      signal: (signal) => this.#signal(signal),
      started: ({ external_id, nickname, verified }) => host.emit("identity", { externalId: external_id, nickname, verified }),
      dropped: () => this.#dropped(),
      problem: (code, message) => this.#problem(code, message),
      local: (said) => (said as Aside).watching && this.attention.someoneWatches(),
    }, { deliver: (item, cancelled, progress) => this.#deliver(item, cancelled, progress), lighten: (item) => this.pictures.lighten(item) }, navigator.vendor ? undefined : framedSocket(host.root));
    this.attention = new Attention(chat, (said: Aside) => this.visit.hints.connection?.tell(said));
    void this.pictures.recall(this.visit.outbox.items);
    this.changed();
  }

  arrive(): void {
    void this.visit.start().catch(() => {});
  }

  typing(): void {
    this.arrive();
    this.visit.hints.typing();
  }

  /** Takes up what was written before this part of the panel was here. Sending it twice stores it once. */
  take(item: OutboxItem): void {
    const { outbox } = this.visit;
    if (!outbox.has(item.client_id)) outbox.add(item);
    this.arrive();
  }

  send(text: string): void {
    const { outbox } = this.visit;
    if (text !== "") outbox.add({ client_id: randomId(), lane: "", text, image: null });
    for (const { id, name, type, shown } of this.pictures.take()) {
      outbox.add({ client_id: id, lane: "", text: "", image: { name, type, width: shown.width, height: shown.height } });
      this.pictures.keep(id);
    }
    outbox.resume();
    this.visit.hints.sent();
  }

  addPictures(files: readonly File[]): void {
    void this.pictures.add(files);
    this.arrive();
  }

  retry(id: string): void {
    this.visit.outbox.retry(id);
  }

  discard(id: string): void {
    this.visit.outbox.remove(id);
    this.pictures.drop(id);
  }

  seen({ conversation, seq }: Shown): void {
    if (conversation !== null) this.visit.markSeen(conversation, seq);
  }

  async older(): Promise<void> {
    const { chat } = this;
    if (chat.loadingOlder || !chat.more) return;
    chat.loadingOlder = true;
    await this.visit.older().catch(() => {});
    chat.loadingOlder = false;
  }

  /** One redraw for all that a burst of news changed. */
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
    this.visit.stop();
    this.pictures.stop();
    this.attention.stop();
    clearTimeout(this.#typingEnds);
  }

  async #deliver(item: OutboxItem, cancelled: AbortSignal, progress: (part: number) => void): Promise<void> {
    // Drawn before it leaves: to ask the network takes longer than to draw.
    await new Promise((drawn) => setTimeout(drawn));
    // Whoever wrote it may be gone by now: for them nothing begins anew.
    if (cancelled.aborted) return;
    await this.visit.start();
    const body = item.image === null ? { text: item.text } : { image: await this.pictures.upload(item.client_id, cancelled, progress) };
    const { message } = await this.#door.send(item.client_id, body, cancelled);
    if (cancelled.aborted) return;
    this.visit.take(message);
    if (item.image !== null) this.pictures.drop(item.client_id);
  }

  #draw(): void {
    const { chat } = this;
    const { conversations, outbox, visitor, welcome, line, problem } = this.visit;
    if (welcome !== null) chat.welcome = welcome;
    chat.nickname = visitor?.nickname ?? claimedName(chat.host.ocs);
    chat.rows = rowsOf(this.#shown.of(conversations, outbox.items), this.#dayOf, chat.rows);
    chat.more = conversations.more;
    chat.heldUntil = outbox.heldUntil;
    // To a stranger the greeting may have been refused, before there was any visit.
    if (problem || chat.known) {
      chat.problem = problem;
      chat.status.line(problem ? "live" : line);
    }
    if (visitor !== null) this.attention.unread(conversations.unread);
  }

  #arrived(message: MessageForVisitor): void {
    const { chat } = this;
    const { from, name, text, image, at, conversation, seq } = message;
    chat.host.emit("message", { from, name, text, image_url: image?.url ?? null, at });
    if (from === "visitor") return;
    const { words } = chat.language;
    chat.typist = null;
    chat.said = words.says(name ?? words.agent, image === null ? text : words.picture);
    this.visit.hints.delivered(conversation, seq, chat.watching);
    this.attention.message(`${conversation} ${seq}`, this.visit.hints.connection?.leading ?? true);
  }

  #signal(signal: VisitorSignal): void {
    const { chat, visit } = this;
    if (signal.kind === "operators") {
      if (visit.welcome !== null) visit.welcome = { ...visit.welcome, operators_online: signal.online };
      return this.changed();
    }
    chat.typist = signal.name ?? chat.language.words.agent;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => (chat.typist = null), TYPING_LASTS_MS);
  }

  #dropped(): void {
    const { chat } = this;
    chat.draft = "";
    chat.problem = null;
    chat.typist = null;
    chat.enlarged = null;
    chat.said = "";
    this.pictures.clear();
    // At once, not with the next redraw.
    this.#draw();
    this.attention.unread(0);
    chat.host.emit("identity", null);
  }

  #problem(code: ErrorCode, message: string): void {
    const { chat } = this;
    console.warn(`[OCS] ${/ident/.test(code) ? "cannot be identified: " : ""}${message || code}`);
    this.changed();
    chat.host.emit("error", { code, message });
  }
}
