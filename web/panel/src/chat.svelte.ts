import type { PanelHost } from "@ocs/launcher/host";
import { randomId, type ErrorCode, type OutboxItem, type Row, type Welcome } from "@ocs/protocol";
import type { ComposerModel } from "@ocs/ui/composer/composer_model.ts";
import { Tray } from "@ocs/ui/composer/tray.svelte.ts";
import { badgeOn } from "./badge.ts";
import { claimedId, claimedName } from "./identity.ts";
import { storeOpenState } from "./open_state.ts";
import { SiteStore } from "./site_store.ts";
import { ConnectionStatus } from "./status.svelte.ts";
import type { DisplayedMessage } from "./talk/displayed_message.ts";
import type { Talk, TalkParts } from "./talk/talk.ts";
import type { Language } from "./words/choose.ts";

/** A visitor counts as typing for this long after the last key. */
const WRITES_WITHIN_MS = 2_000;
const ANSWER_WITHIN_MS = 20_000;

/**
 * The state and actions of the panel's components. It is part of the first load; `Talk`, with everything that sessions and
 * messages need, is loaded when a known visitor opens the chat, or shortly after an unknown one has opened it.
 */
export class Chat implements ComposerModel {
  open = $state.raw(false);
  /** It was restored as open from the previous page, and takes no focus. */
  asLeft = false;
  rows = $state.raw<readonly Row<DisplayedMessage>[]>([]);
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
  /** The image that is shown full size. */
  enlarged = $state.raw<DisplayedMessage | null>(null);
  /** Texts of the ARIA live regions: new messages (polite) and problems (alert). */
  announcement = $state.raw("");
  alert = $state.raw("");
  /** Incremented with each own message: the list then scrolls to its end. */
  jumps = $state.raw(0);
  parts = $state.raw<TalkParts | null>(null);
  /** Messages written before `parts` are loaded: the stored outbox. */
  early = $state.raw<readonly OutboxItem[]>([]);
  /** Those of `early` that were written in this tab: another tab that writes at the same moment may overwrite the stored outbox. */
  readonly #ownEarly: OutboxItem[] = [];
  readonly status = new ConnectionStatus();
  readonly tray: Tray;
  readonly store: SiteStore;
  /** Shows the unread count on the launcher. */
  readonly badge: (count: number) => void;
  #talk: Promise<Talk> | null = null;
  #gone = false;
  #typedAt = 0;
  #syncScheduled = false;
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #unwatch: () => void;

  constructor(readonly host: PanelHost, readonly language: Language) {
    this.store = new SiteStore(host.site.k);
    this.badge = badgeOn(host.button, language.words.unread);
    if (!host.site.v) this.badge(this.store.data.unread ?? 0);
    this.tray = new Tray(language.words);
    this.#syncFromStore();
    this.#unwatch = this.store.watch(() => this.#syncFromStore());
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

  /** Is the visitor known? An unknown one only gets the welcome; the server learns nothing before the first message. */
  get known(): boolean {
    if (claimedId(this.host.ocs) !== null) return true;
    const { token, outbox } = this.store.data;
    return token !== undefined || !!outbox?.length;
  }

  show(asLeft = false): void {
    if (this.open) return;
    this.asLeft = asLeft;
    this.open = true;
    if (!this.host.site.v) storeOpenState(this.host.site.k, true);
    this.host.shown(true);
    this.host.emit("open");
    this.start();
  }

  hide(): void {
    storeOpenState(this.host.site.k, false);
    if (!this.open) return;
    this.open = false;
    this.host.shown(false);
    this.host.emit("close");
    this.#talk?.then((talk) => talk.attention.look(), () => {});
  }

  start(): void {
    if (this.host.site.v) return;
    this.#showConnecting();
    if (this.known) return this.with((talk) => talk.startSession());
    void this.#loadWelcome();
    // Preloads the rest while the visitor thinks about the first message.
    this.#after(300, () => this.with(() => {}));
  }

  setDraft(text: string, caret = text.length): void {
    this.draft = text;
    this.caret = caret;
    this.#typedAt = Date.now();
    if (this.host.site.v) return;
    this.store.save({ draft: text || undefined, caret });
    if (text !== "") this.with((talk) => talk.typing());
  }

  moveCaret(caret: number): void {
    if (caret === this.caret || this.host.site.v) return;
    this.caret = caret;
    this.store.save({ caret });
  }

  send(text: string): void {
    this.jumps += 1;
    if (this.host.site.v) return void import("./preview/preview.ts").then(({ pretendToSend }) => pretendToSend(this, text.trim()));
    const trimmed = text.trim();
    if (this.parts !== null || trimmed === "") return this.with((talk) => talk.send(trimmed));
    // Shown and stored at once: the outbox sends it as soon as it is loaded.
    const item: OutboxItem = { client_id: randomId(), lane: "", text: trimmed, image: null, at: Date.now(), state: "queued", code: null, progress: 0 };
    this.#ownEarly.push(item);
    this.store.outbox().put(item);
    this.#syncEarly();
    this.#showConnecting();
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
    this.store.save({ muted: muted || undefined });
  }

  /** Runs `act` now, or as soon as the rest of the panel is loaded. */
  with(act: (talk: Talk) => void): void {
    if (this.host.site.v || this.#gone) return;
    this.#talk ??= import("./talk/talk.ts").then(({ Talk, parts }) => {
      if (this.#gone) throw new Error("destroyed");
      this.parts = parts;
      return new Talk(this);
    });
    const loading = this.#talk;
    loading.then((talk) => !this.#gone && act(talk)).catch((error: unknown) => {
      if (this.#gone) return;
      if (this.#talk === loading) this.#talk = null;
      this.status.update("waiting");
      // Retries the action, so that no message is lost.
      this.#after(3_000, () => this.with(act));
      this.host.emit("error", { code: "unavailable", message: String(error) });
    });
  }

  /** Shows "Connecting" if it takes long until the welcome or the connection is there. */
  #showConnecting(): void {
    if (this.welcome === null || this.early.length > 0) this.status.update("connecting");
  }

  /** Starts the console's live preview. Returns a function that ends it. */
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

  /** Runs `act` after a delay, unless the chat is destroyed first. */
  #after(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  /** Applies the stored state, which another tab may have changed. */
  #syncFromStore(): void {
    if (this.host.site.v) return;
    const { draft = "", caret = draft.length, muted } = this.store.data;
    this.muted = !!muted;
    this.#syncEarly();
    const remainingMs = this.#typedAt + WRITES_WITHIN_MS - Date.now();
    if (remainingMs <= 0) {
      this.draft = draft;
      this.caret = caret;
    } else if (!this.#syncScheduled) {
      // While somebody types here, drafts must not mix: afterwards both tabs show the one that was written last.
      this.#syncScheduled = true;
      this.#after(remainingMs, () => {
        this.#syncScheduled = false;
        this.#syncFromStore();
      });
    }
  }

  #syncEarly(): void {
    if (this.parts !== null) return;
    const own = this.#ownEarly;
    this.early = [...(this.store.data.outbox ?? []).filter((item) => item.text && !own.some((other) => other.client_id === item.client_id)), ...own];
  }

  async #loadWelcome(): Promise<void> {
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
      this.status.update("waiting");
      if (this.open) this.#after(5_000, () => void this.#loadWelcome());
      return;
    }
    this.status.update("live");
  }
}
