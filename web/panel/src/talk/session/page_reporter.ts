import type { PageReport } from "@ocs/protocol";
import { truncateUnits } from "../../identity.ts";

/** A single-page app often sets the title shortly after the URL: both are reported together. */
const SETTLE_MS = 300;
/** Minimum pause between two reports; doubled while the page keeps changing, as with an animated title. */
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

const withoutHash = (url = "") => url.split("#")[0];

/** Reports which page the visitor is on whenever it changes. Browsers that ask for privacy report nothing. */
export class PageReporter {
  #url = location.href;
  /** When the current page was opened, as performance.now(): 0 is the load, unless a single-page app has navigated since. */
  #since = withoutHash(performance.getEntriesByType("navigation")[0]?.name) === withoutHash(this.#url) ? 0 : performance.now();
  #reported = "";
  #reportedAt = 0;
  #pause = PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #end = new AbortController();
  readonly #titles = new MutationObserver(() => this.look());

  /** `report` returns whether it was sent. */
  constructor(private readonly report: (page: PageReport) => boolean) {}

  /** The current page, for a `start` request, which reports it. */
  current(): PageReport | undefined {
    const { globalPrivacyControl, doNotTrack } = navigator as Navigator & { globalPrivacyControl?: boolean };
    if (globalPrivacyControl || doNotTrack === "1") return undefined;
    const { href: url } = location;
    const { title, referrer } = document;
    const current = performance.now();
    if (this.#url !== url) this.#since = current;
    this.#url = url;
    this.#reported = url + title;
    return { url: truncateUnits(url), title: truncateUnits(title), referrer: truncateUnits(referrer), open_s: (current - this.#since) / 1_000 };
  }

  /** Without the Navigation API, a navigation within the page is detected by a title change or after an action of the visitor. */
  start(): void {
    this.stop();
    if (!this.current()) return;
    const options = { capture: true, signal: (this.#end = new AbortController()).signal };
    (window as { navigation?: EventTarget }).navigation?.addEventListener("currententrychange", this.look, options);
    for (const act of ["popstate", "hashchange", "click", "keyup", "visibilitychange"]) addEventListener(act, this.look, options);
    this.#titles.observe(document.head, { subtree: true, childList: true, characterData: true });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#end.abort();
    this.#titles.disconnect();
  }

  readonly look = (event?: Event) => {
    // Another tab may have reported its own page meanwhile.
    if (event?.type === "visibilitychange") this.#reported = "";
    if (this.#isReported) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (document.hidden || this.#isReported) return;
      const since = performance.now() - this.#reportedAt;
      this.#pause = since < 2 * this.#pause ? Math.min(2 * this.#pause, LONGEST_PAUSE_MS) : PAUSE_MS;
      this.#reportedAt += since;
      const page = this.current();
      // Not sent: the next `welcome` checks again.
      if (!page || !this.report(page)) this.#reported = "";
    }, Math.max(SETTLE_MS, this.#reportedAt + this.#pause - performance.now()));
  };

  get #isReported(): boolean {
    return this.#reported === location.href + document.title;
  }
}
