import type { PanelHost } from "@ocs/launcher/host";
import { randomId, type ErrorCode, type OutboxItem, type Row, type Welcome } from "@ocs/protocol";
import type { Composing } from "@ocs/ui/composer/composing.ts";
import { Tray } from "@ocs/ui/composer/tray.svelte.ts";
import { badgeOn } from "./badge.ts";
import { claimedId, claimedName } from "./identity.ts";
import { keepOpen } from "./left_open.ts";
import { Record } from "./record.ts";
import { Status } from "./status.svelte.ts";
import type { Shown } from "./talk/shown.ts";
import type { Talk, TalkParts } from "./talk/talk.ts";
import type { Language } from "./words/choose.ts";

/** After the last key for so long, one no longer writes here. */
const WRITES_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 20_000;

/**
 * What the components draw and what they may ask for. This much is there at the first opening; `Talk`, with all
 * that people and messages need, is fetched when someone known opens, or once the chat stands before a stranger.
 */
export class Chat implements Composing {
  open = $state.raw(false);
  /** It opened as the visitor left it on the page before, and takes no focus. */
  asLeft = false;
  rows = $state.raw<readonly Row<Shown>[]>([]);
  welcome = $state.raw<Welcome | null>(null);
  nickname = $state.raw("");
  typist = $state.raw<string | null>(null);
  more = $state.raw(false);
  loadingOlder = $state.raw(false);
  heldUntil = $state.raw<number | null>(null);
  problem = $state.raw<ErrorCode | null>(null);
  draft = $state.raw("");
  caret = 0;
  muted = $state.raw(false);
  /** The picture shown full size. */
  enlarged = $state.raw<Shown | null>(null);
  /** Read out by assistive technology: news, then trouble. */
  said = $state.raw("");
  alarm = $state.raw("");
  /** Grows with each own message: the list jumps to its end. */
  jumps = $state.raw(0);
  parts = $state.raw<TalkParts | null>(null);
  /** Written before the parts are here: what the record keeps to be sent. */
  early = $state.raw<readonly OutboxItem[]>([]);
  /** Those of `early` that were written in this tab: another tab that writes at the same moment may overwrite the record. */
  readonly #said: OutboxItem[] = [];
  readonly status = new Status();
  readonly tray: Tray;
  readonly record: Record;
  /** Shows on the launcher how many messages are unread. */
  readonly badge: (count: number) => void;
  #talk: Promise<Talk> | null = null;
  #gone = false;
  #typedAt = 0;
  #recallsLater = false;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #unwatch: () => void;

  constructor(readonly host: PanelHost, readonly language: Language) {
    this.record = new Record(host.site.k);
    this.badge = badgeOn(host.button, language.words.unread);
    if (!host.site.v) this.badge(this.record.kept.unread ?? 0);
    this.tray = new Tray(language.words);
    this.#recall();
    this.#unwatch = this.record.watch(() => this.#recall());
    this.nickname = claimedName(host.ocs);
  }

  get watching(): boolean {
    return this.open && !document.hidden;
  }

  get nameOfSite(): string {
    return this.welcome?.name ?? this.host.site.n;
  }

  get placeholder(): string {
    return this.language.words.placeholder;
  }

  get greeting(): string {
    return this.welcome?.welcome || this.language.words.greeting;
  }

  /** Is there someone to ask the server about? A stranger is only greeted: it hears nothing before the first word. */
  get known(): boolean {
    if (claimedId(this.host.ocs) !== null) return true;
    const { token, outbox } = this.record.kept;
    return token !== undefined || !!outbox?.length;
  }

  show(asLeft = false): void {
    if (this.open) return;
    this.asLeft = asLeft;
    this.open = true;
    if (!this.host.site.v) keepOpen(this.host.site.k, true);
    this.host.shown(true);
    this.host.emit("open");
    this.arrive();
  }

  hide(): void {
    keepOpen(this.host.site.k, false);
    if (!this.open) return;
    this.open = false;
    this.host.shown(false);
    this.host.emit("close");
    this.#talk?.then((talk) => talk.attention.look(), () => {});
  }

  arrive(): void {
    if (this.host.site.v) return;
    this.#wait();
    if (this.known) return this.with((talk) => talk.arrive());
    void this.#greet();
    // What comes next is fetched while the visitor thinks of the first word.
    this.#later(300, () => this.with(() => {}));
  }

  typed(text: string, caret = text.length): void {
    this.draft = text;
    this.caret = caret;
    this.#typedAt = Date.now();
    if (this.host.site.v) return;
    this.record.keep({ draft: text || undefined, caret });
    if (text !== "") this.with((talk) => talk.typing());
  }

  moved(caret: number): void {
    if (caret === this.caret || this.host.site.v) return;
    this.caret = caret;
    this.record.keep({ caret });
  }

  send(text: string): void {
    this.jumps += 1;
    if (this.host.site.v) return void import("./preview/preview.ts").then(({ pretendToSend }) => pretendToSend(this, text.trim()));
    const said = text.trim();
    if (this.parts !== null || said === "") return this.with((talk) => talk.send(said));
    // On the screen and kept at once: the outbox takes it up as soon as it is here.
    const item: OutboxItem = { client_id: randomId(), lane: "", text: said, image: null, at: Date.now(), state: "queued", code: null, progress: 0 };
    this.#said.push(item);
    this.record.outbox().put(item);
    this.#recallEarly();
    this.#wait();
    this.with((talk) => talk.take(item));
  }

  addPictures(files: readonly File[]): void {
    this.with((talk) => talk.addPictures(files));
  }

  removePicture(id: string): void {
    this.with((talk) => talk.pictures.remove(id));
  }

  mute(muted: boolean): void {
    this.muted = muted;
    this.record.keep({ muted: muted || undefined });
  }

  /** Does it now, or as soon as the rest of the panel is here. */
  with(act: (talk: Talk) => void): void {
    if (this.host.site.v || this.#gone) return;
    this.#talk ??= import("./talk/talk.ts").then(({ Talk, parts }) => {
      if (this.#gone) throw new Error("destroyed");
      this.parts = parts;
      return new Talk(this);
    });
    const asked = this.#talk;
    asked.then((talk) => !this.#gone && act(talk)).catch((error: unknown) => {
      if (this.#gone) return;
      if (this.#talk === asked) this.#talk = null;
      this.status.line("waiting");
      // Whatever was asked for is asked again: nothing that was written is lost.
      this.#later(3_000, () => this.with(act));
      this.host.emit("error", { code: "unavailable", message: String(error) });
    });
  }

  /** The time counts until the greeting came or the line is live. */
  #wait(): void {
    if (this.welcome === null || this.early.length > 0) this.status.line("connecting");
  }

  /** The dashboard's live preview. */
  async preview(): Promise<() => void> {
    return (await import("./preview/preview.ts")).pretend(this);
  }

  destroy(): void {
    this.#gone = true;
    this.#unwatch();
    this.#talk?.then((talk) => talk.stop(), () => {});
    this.#timers.forEach(clearTimeout);
    this.status.stop();
  }

  /** Unless the chat is destroyed before. */
  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  /** What this browser keeps, of which another tab may have written the last. */
  #recall(): void {
    if (this.host.site.v) return;
    const { draft = "", caret = draft.length, muted } = this.record.kept;
    this.muted = !!muted;
    this.#recallEarly();
    const writes = this.#typedAt + WRITES_WITHIN_MS - Date.now();
    if (writes <= 0) {
      this.draft = draft;
      this.caret = caret;
    } else if (!this.#recallsLater) {
      // Two drafts must not mix: both go on, and in the end the one that was written last stands in both tabs.
      this.#recallsLater = true;
      this.#later(writes, () => {
        this.#recallsLater = false;
        this.#recall();
      });
    }
  }

  #recallEarly(): void {
    if (this.parts !== null) return;
    const own = this.#said;
    this.early = [...(this.record.kept.outbox ?? []).filter((item) => item.text && !own.some((said) => said.client_id === item.client_id)), ...own];
  }

  async #greet(): Promise<void> {
    if (this.welcome !== null) return;
    const { site } = this.host;
    const query = new URLSearchParams({ key: site.k, lang: this.language.locale });
    try {
      const response = await fetch(`${site.o}/api/widget/welcome?${query}`, { credentials: "omit", signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
      const body = await response.json();
      if (response.ok) {
        this.welcome ??= body as Welcome;
        this.problem = null;
      }
      else if (response.status < 500) this.problem = body.error.code;
      else throw body;
    } catch {
      if (this.#gone) return;
      this.status.line("waiting");
      if (this.open) this.#later(5_000, () => void this.#greet());
      return;
    }
    this.status.line("live");
  }
}
