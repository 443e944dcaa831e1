import type { ConnectionState } from "@ocs/protocol";

const PATIENCE_MS = 2_000;
/** After so long more something may be in the way, and another way is offered. */
const STUCK_AFTER_MS = 8_000;

/** What is said about the line. Short gaps are nobody's business, and no wait goes on for ever without a way out. */
export class Status {
  shown = $state.raw<"fine" | "connecting" | "stuck" | "offline">("fine");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #live = true;

  constructor() {
    addEventListener("online", this.#begin);
    addEventListener("offline", this.#begin);
    this.#begin();
  }

  line(state: ConnectionState): void {
    const live = state === "live";
    if (live === this.#live) return;
    this.#live = live;
    this.#begin();
  }

  stop(): void {
    clearTimeout(this.#timer);
    removeEventListener("online", this.#begin);
    removeEventListener("offline", this.#begin);
  }

  /** Time without network says nothing about what is in the way: it is not counted. */
  readonly #begin = () => {
    clearTimeout(this.#timer);
    if (!navigator.onLine) this.shown = "offline";
    else if (this.#live) this.shown = "fine";
    else {
      if (this.shown === "offline") this.shown = "connecting";
      this.#timer = setTimeout(() => {
        this.shown = "connecting";
        this.#timer = setTimeout(() => (this.shown = "stuck"), STUCK_AFTER_MS);
      }, PATIENCE_MS);
    }
  };
}
