import type { ConnectionState } from "@ocs/protocol";

const PATIENCE_MS = 2_000;

/** What is said about the line. Short gaps are nobody's business. */
export class Status {
  shown = $state.raw<"fine" | "connecting" | "offline">("fine");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #live = true;

  constructor() {
    addEventListener("online", this.#network);
    addEventListener("offline", this.#network);
    this.#network();
  }

  line(state: ConnectionState): void {
    const live = state === "live";
    if (live === this.#live) return;
    this.#live = live;
    clearTimeout(this.#timer);
    if (live) this.#network();
    else this.#timer = setTimeout(this.#network, PATIENCE_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    removeEventListener("online", this.#network);
    removeEventListener("offline", this.#network);
  }

  readonly #network = () => {
    this.shown = !navigator.onLine ? "offline" : this.#live ? "fine" : "connecting";
  };
}
