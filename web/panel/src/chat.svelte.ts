import type { PanelHost } from "@ocs/launcher/host";
import { dayNamer, randomId, rowsOf, WidgetDoor, type ErrorCode, type MessageForVisitor, type Row, type VisitorSignal, type Welcome } from "@ocs/protocol";
import { Attention } from "./attention/attention.ts";
import { Dates } from "./dates.ts";
import { Pictures } from "./images/pictures.svelte.ts";
import { ShownMessages, type Shown } from "./shown.ts";
import { Status } from "./status.svelte.ts";
import { Record } from "./visit/record.ts";
import { Visit } from "./visit/visit.ts";
import type { Language } from "./words/choose.ts";

const TYPING_LASTS_MS = 6_000;

/** What the components draw and what they may ask for. The list is replaced, never changed in place. */
export class Chat {
  open = $state.raw(false);
  rows = $state.raw<readonly Row<Shown>[]>([]);
  welcome = $state.raw<Welcome | null>(null);
  nickname = $state.raw("");
  unread = $state.raw(0);
  typist = $state.raw<string | null>(null);
  more = $state.raw(false);
  loadingOlder = $state.raw(false);
  heldUntil = $state.raw<number | null>(null);
  unidentified = $state.raw(false);
  problem = $state.raw<ErrorCode | null>(null);
  draft = $state.raw("");
  muted = $state.raw(false);
  /** The picture shown full size. */
  enlarged = $state.raw<Shown | null>(null);
  /** Read out by assistive technology: news, then trouble. */
  said = $state.raw("");
  alarm = $state.raw("");
  /** Grows with each own message: the list jumps to its end. */
  jumps = $state.raw(0);
  readonly status: Status;
  readonly pictures: Pictures;
  readonly dates: Dates;
  readonly record: Record;
  readonly visit: Visit;
  readonly #door: WidgetDoor;
  readonly #shown: ShownMessages;
  readonly #attention: Attention;
  #dayOf = dayNamer();
  #typingEnds: ReturnType<typeof setTimeout> | undefined;
  #drawn = false;

  constructor(readonly host: PanelHost, readonly language: Language) {
    const { site, ocs } = host;
    this.record = new Record(site.k);
    this.#door = new WidgetDoor(site.o, site.k);
    this.dates = new Dates(language.locale);
    this.pictures = new Pictures(site.k, this.#door, language.words, () => this.changed());
    this.status = new Status();
    this.#shown = new ShownMessages(site.o, language.words.agent, (id) => this.pictures.shown(id));
    this.visit = new Visit(this.#door, this.record, ocs, language.locale, {
      changed: () => this.changed(),
      arrived: (message) => this.#arrived(message),
      signal: (signal) => this.#signal(signal),
      started: ({ external_id, nickname, verified }) => host.emit("identity", { externalId: external_id, nickname, verified }),
      dropped: () => this.#dropped(),
      problem: (code, message) => this.#problem(code, message),
      local: (said) => this.#local(said as { watching?: true; seen?: { conversation: string; seq: number } }),
    }, async (item, cancelled, progress) => {
      await this.visit.start();
      const body = item.image === null ? { text: item.text } : { image: await this.pictures.upload(item.client_id, cancelled, progress) };
      this.visit.take((await this.#door.send(item.client_id, body, cancelled)).message);
      if (item.image !== null) this.pictures.drop(item.client_id);
    });
    this.#attention = new Attention(this.record, () => this.watching, (said) => this.visit.hints.connection?.tell(said));
    this.draft = this.record.kept.draft ?? "";
    this.muted = !!this.record.kept.muted;
    void this.pictures.recall(this.visit.outbox.items);
    this.changed();
  }

  get watching(): boolean {
    return this.open && !document.hidden;
  }

  get nameOfSite(): string {
    return this.welcome?.name ?? this.host.site.n;
  }

  show(): void {
    if (this.open) return;
    this.open = true;
    this.host.shown(true);
    this.host.emit("open");
    this.arrive();
  }

  hide(): void {
    if (!this.open) return;
    this.open = false;
    this.host.shown(false);
    this.host.emit("close");
  }

  /** Someone known is taken up at once; a stranger is only greeted. */
  arrive(): void {
    if (this.visit.known) void this.visit.start().catch(() => {});
    else void this.visit.greet();
  }

  typed(text: string): void {
    this.draft = text;
    this.record.keep({ draft: text || undefined });
    if (text === "") return;
    void this.visit.start().catch(() => {});
    this.visit.hints.typing();
  }

  send(text: string): void {
    const plain = text.trim();
    if (plain !== "") this.visit.outbox.add({ client_id: randomId(), lane: "", text: plain, image: null });
    for (const { id, name, type, shown } of this.pictures.take()) {
      this.visit.outbox.add({ client_id: id, lane: "", text: "", image: { name, type, width: shown.width, height: shown.height } });
    }
    this.jumps += 1;
    this.visit.outbox.resume();
  }

  retry(id: string): void {
    this.visit.outbox.retry(id);
  }

  discard(id: string): void {
    this.visit.outbox.remove(id);
    this.pictures.drop(id);
  }

  seen(message: Shown): void {
    if (message.conversation !== null) this.visit.markSeen(message.conversation, message.seq);
  }

  async older(): Promise<void> {
    if (this.loadingOlder || !this.more) return;
    this.loadingOlder = true;
    await this.visit.older().catch(() => {});
    this.loadingOlder = false;
  }

  mute(muted: boolean): void {
    this.muted = muted;
    this.record.keep({ muted: muted || undefined });
  }

  /** One redraw for all that a burst of news changed. */
  changed(): void {
    if (this.#drawn) return;
    this.#drawn = true;
    queueMicrotask(() => {
      this.#drawn = false;
      this.#draw();
    });
  }

  destroy(): void {
    this.visit.stop();
    this.pictures.stop();
    this.status.stop();
    this.#attention.stop();
    clearTimeout(this.#typingEnds);
  }

  #draw(): void {
    const { conversations, outbox, visitor, welcome, line, known, unidentified } = this.visit;
    this.welcome = welcome;
    this.nickname = visitor?.nickname ?? this.host.ocs.nickname ?? "";
    this.rows = rowsOf(this.#shown.of(conversations, outbox.items), this.#dayOf, this.rows);
    this.more = conversations.more;
    this.heldUntil = outbox.heldUntil;
    this.unidentified = unidentified;
    this.status.line(known && !unidentified && (visitor !== null || outbox.items.length > 0 || this.open) ? line : "live");
    this.#count(conversations.unread);
  }

  #count(unread: number): void {
    if (this.unread === unread) return;
    this.unread = unread;
    this.#attention.unread(unread);
    this.host.unread(unread);
    this.host.emit("unread", unread);
  }

  #arrived(message: MessageForVisitor): void {
    const { from, name, text, image, at, conversation, seq } = message;
    this.host.emit("message", { from, name, text, image_url: image?.url ?? null, at });
    if (from === "visitor") return;
    const { words } = this.language;
    this.typist = null;
    this.said = words.says(name ?? words.agent, image === null ? text : words.picture);
    this.visit.hints.delivered(conversation, seq);
    this.#attention.message(this.visit.hints.connection?.leading ?? true);
  }

  #signal(signal: VisitorSignal): void {
    if (signal.kind === "operators") {
      if (this.visit.welcome !== null) this.visit.welcome = { ...this.visit.welcome, operators_online: signal.online };
      return this.changed();
    }
    this.typist = signal.name ?? this.language.words.agent;
    clearTimeout(this.#typingEnds);
    this.#typingEnds = setTimeout(() => (this.typist = null), TYPING_LASTS_MS);
  }

  #local(said: { watching?: true; seen?: { conversation: string; seq: number } }): void {
    if (said.watching) this.#attention.someoneWatches();
    if (said.seen && this.visit.conversations.markSeen(said.seen.conversation, said.seen.seq)) this.changed();
  }

  #dropped(): void {
    this.draft = "";
    this.typist = null;
    this.enlarged = null;
    this.said = "";
    this.pictures.clear();
    this.#draw();
    this.host.emit("identity", null);
  }

  #problem(code: ErrorCode, message: string): void {
    if (code === "identity_required" || code === "invalid_identity") console.warn(`[OCS] this visitor cannot be identified: ${message || code}`);
    else this.problem = code;
    this.host.emit("error", { code, message });
  }
}
