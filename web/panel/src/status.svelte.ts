import type { ConnectionState } from "@ocs/protocol";

const SHOW_AFTER_MS = 2_000;
/** After this much longer, something probably blocks the connection, and an alternative is offered. */
const STUCK_AFTER_MS = 8_000;

/** The connection status to show. Short gaps are not shown, and a long one offers the full-page chat. */
export class ConnectionStatus {
  shown = $state.raw<"fine" | "connecting" | "stuck" | "offline">("fine");
  #timer: ReturnType<typeof setTimeout> | undefined;
  #live = true;

  constructor() {
    addEventListener("online", this.#begin);
    addEventListener("offline", this.#begin);
    this.#begin();
  }

  update(state: ConnectionState): void {
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

  /** Restarts the timers. Time without network is not counted, because it does not mean that something blocks the connection. */
  readonly #begin = () => {
    clearTimeout(this.#timer);
    if (!navigator.onLine) this.shown = "offline";
    else if (this.#live) this.shown = "fine";
    else {
      if (this.shown === "offline") this.shown = "connecting";
      this.#timer = setTimeout(() => {
        this.shown = "connecting";
        this.#timer = setTimeout(() => (this.shown = "stuck"), STUCK_AFTER_MS);
      }, SHOW_AFTER_MS);
    }
  };
}
