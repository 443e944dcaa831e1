import type { PageSaid } from "@ocs/protocol";
import { short } from "../../identity.ts";

/** A page that goes elsewhere often sets its title a moment later: both are told together. */
const SETTLES_WITHIN_MS = 300;
/** Between two that are told; doubled while the page changes all the time, as with a running title. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

const withoutHash = (url = "") => url.split("#")[0];

/** Which page the visitor is on, told when it becomes another. Browsers that ask for privacy tell nothing. */
export class PageWatch {
  #url = location.href;
  /** By the page's clock: its loading, unless it has gone elsewhere since. */
  #since = withoutHash(performance.getEntriesByType("navigation")[0]?.name) === withoutHash(this.#url) ? 0 : performance.now();
  #told = "";
  #toldAt = 0;
  #pause = PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #end = new AbortController();
  readonly #titles = new MutationObserver(() => this.look());

  /** `tell` answers whether it was taken. */
  constructor(private readonly tell: (page: PageSaid) => boolean) {}

  /** Now, for a `start`, which tells it. */
  now(): PageSaid | undefined {
    const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
    if (globalPrivacyControl || doNotTrack === "1") return undefined;
    const { href: url } = location;
    const { title, referrer } = document;
    const now = performance.now();
    if (this.#url !== url) this.#since = now;
    this.#url = url;
    this.#told = url + title;
    return { url: short(url), title: short(title), referrer: short(referrer), open_s: (now - this.#since) / 1_000 };
  }

  /** Without a word of the browser (Navigation API), a page that went elsewhere shows it in its title or after an act of the visitor. */
  start(): void {
    this.stop();
    if (!this.now()) return;
    const heard = { capture: true, signal: (this.#end = new AbortController()).signal };
    (window as { navigation?: EventTarget }).navigation?.addEventListener("currententrychange", this.look, heard);
    for (const act of ["popstate", "hashchange", "click", "keyup", "visibilitychange"]) addEventListener(act, this.look, heard);
    this.#titles.observe(document.head, { subtree: true, childList: true, characterData: true });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#end.abort();
    this.#titles.disconnect();
  }

  readonly look = (sign?: Event) => {
    // Another tab may have told of its own page meanwhile.
    if (sign?.type === "visibilitychange") this.#told = "";
    if (this.#isTold) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (document.hidden || this.#isTold) return;
      const since = performance.now() - this.#toldAt;
      this.#pause = since < 2 * this.#pause ? Math.min(2 * this.#pause, LONGEST_PAUSE_MS) : PAUSE_MS;
      this.#toldAt += since;
      const page = this.now();
      // Lost with its line: the next welcome looks again.
      if (!page || !this.tell(page)) this.#told = "";
    }, Math.max(SETTLES_WITHIN_MS, this.#toldAt + this.#pause - performance.now()));
  };

  get #isTold(): boolean {
    return this.#told === location.href + document.title;
  }
}
