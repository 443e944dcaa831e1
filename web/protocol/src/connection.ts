import { Backoff } from "./backoff.ts";
import type { Endpoint, Transport } from "./transport.ts";
import { openSocket, type MakeSocket } from "./socket.ts";
import { realTimers, type Timers } from "./timers.ts";
import { onWake } from "./wake.ts";
import type { Cursor, ErrorCode, Frame } from "./wire.ts";

export type ConnectionState = "stopped" | "connecting" | "live" | "waiting" | "refused";

export type ConnectionEvents<E, S> = {
  event(event: E, cursor: Cursor): void;
  signal(signal: S): void;
  /** The server sent `welcome`: repeat the hints that may have been lost. */
  live(): void;
  /** Reload the state and start again from its cursor. */
  resync(): void;
  /** The credential is no longer valid. */
  refused(code: ErrorCode, message: string): void;
  changed(state: ConnectionState): void;
};

export type ConnectionOptions = {
  timers?: Timers;
  fetch?: typeof fetch;
  socket?: MakeSocket;
  stream?: OpenStream;
  /** Targets of the events that suggest the server is reachable again (see wake.ts). */
  wake?: EventTarget[];
};

const WELCOME_TIMEOUT_MS = 4_000;
const STABLE_AFTER_MS = 30_000;
const RETRY_SOCKET_AFTER_MS = 300_000;

/**
 * Receives the server's events in order, starting after a cursor. Uses a WebSocket, or a server-sent stream where
 * sockets are blocked. Only events and heartbeats advance the cursor, never `welcome`: the missed events follow it, so a
 * transport that is cut right after `welcome` must ask for them again.
 */
export class Connection<E, S, H extends { type: string }> {
  state: ConnectionState = "stopped";
  transportKind: "socket" | "stream" = "socket";
  #cursor: Cursor = "";
  #transport: Transport<H> | null = null;
  #failures = 0;
  #welcomed = false;
  #lastFrameAt = 0;
  #silenceLimitMs = 60_000;
  #serverDelayMs: number | null = null;
  #cancelRetry = () => {};
  #cancelTimeout = () => {};
  #cancelDelayed = () => {};
  #removeWakeListeners = () => {};
  readonly #timers: Timers;
  readonly #backoff: Backoff;
  readonly #wake: EventTarget[];

  constructor(
    private readonly endpoint: Endpoint<H>,
    private readonly events: ConnectionEvents<E, S>,
    private readonly options: ConnectionOptions = {},
  ) {
    this.#timers = options.timers ?? realTimers;
    this.#backoff = new Backoff(this.#timers);
    this.#wake = options.wake ?? [];
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  start(cursor: Cursor): void {
    this.stop();
    this.#cursor = cursor;
    this.#removeWakeListeners = onWake(this.#wake, (type) => this.#onWake(type));
    this.#connect();
  }

  stop(): void {
    this.#removeWakeListeners();
    this.#disconnect();
    this.#setState("stopped");
  }

  /** Drops the hint unless live: the state that hints carry is repeated after the next `welcome`. */
  hint(hint: H): void {
    if (this.state === "live") this.#transport?.send(hint);
  }

  /** Retries now instead of waiting for a timer, which may have been suspended with the device. */
  nudge(): void {
    if (this.state === "waiting") {
      this.#backoff.reset();
      this.#connect();
    } else if (this.state === "live" && this.#timers.now() - this.#lastFrameAt > this.#silenceLimitMs) {
      this.#reconnect();
    }
  }

  /** A successful request does not cut short a delay that the server itself asked for. */
  #onWake(type: string): void {
    if (type !== "answered" || this.#serverDelayMs === null) this.nudge();
  }

  #connect(): void {
    this.#disconnect();
    this.#welcomed = false;
    this.#serverDelayMs = null;
    this.transportKind = this.#failures >= 2 ? "stream" : "socket";
    this.#setState("connecting");
    const events = {
      frame: (frame: { type: string }) => this.#onFrame(frame as Frame<E, S>),
      closed: (code: number) => this.#onClosed(code),
    };
    this.#cancelTimeout = this.#timers.after(WELCOME_TIMEOUT_MS, () => {
      // A socket that opens and stays silent means a proxy that swallows frames: a second attempt is pointless.
      if (this.transportKind === "socket") this.#failures = 1;
      this.#reconnect();
    });
    this.#transport =
      this.transportKind === "socket"
        ? openSocket(this.endpoint, this.#cursor, events, this.options.socket ?? ((url) => new WebSocket(url)))
        : (this.options.stream ?? openStreamLazily)(this.endpoint, this.#cursor, events, this.options.fetch ?? ((...args) => fetch(...args)));
  }

  #onFrame(frame: Frame<E, S>): void {
    this.#lastFrameAt = this.#timers.now();
    switch (frame.type) {
      case "welcome":
        return this.#onWelcome(frame.beat_s, frame.cursor);
      case "event":
        // An empty cursor means: keep the current one.
        this.events.event(frame.event, frame.cursor || this.#cursor);
        this.#cursor = frame.cursor || this.#cursor;
        return;
      case "signal":
        return this.events.signal(frame.signal);
      case "beat":
        this.#cursor = frame.cursor || this.#cursor;
        return this.hint({ type: "alive" } as H);
      case "resync":
        this.stop();
        return this.events.resync();
      case "bye":
        this.#serverDelayMs = frame.retry_after_ms;
        return this.#reconnect();
      case "refused":
        return this.#giveUp(frame.code, frame.message);
    }
  }

  #onWelcome(heartbeatS: number, cursor: Cursor): void {
    this.#welcomed = true;
    this.#silenceLimitMs = heartbeatS * 2_500;
    if (this.#cursor === "") this.#cursor = cursor;
    this.#watchSilence();
    if (this.transportKind === "socket") {
      this.#failures = 0;
      this.#cancelDelayed = this.#timers.after(STABLE_AFTER_MS, () => this.#backoff.reset());
    } else {
      this.#backoff.reset();
      this.#cancelDelayed = this.#timers.after(RETRY_SOCKET_AFTER_MS, () => {
        this.#failures = 0;
        this.#connect();
      });
    }
    this.#setState("live");
    this.events.live();
  }

  /** Checks again when the last frame would be too old; resetting a timer for each frame would cost more than the frame. */
  #watchSilence(): void {
    this.#cancelTimeout();
    const left = this.#lastFrameAt + this.#silenceLimitMs - this.#timers.now();
    if (left <= 0) this.#reconnect();
    else this.#cancelTimeout = this.#timers.after(left, () => this.#watchSilence());
  }

  #onClosed(code: number): void {
    if (code === 4401) return this.#giveUp("invalid_token", "");
    if (code === 4403) return this.#giveUp("forbidden_origin", "");
    this.#reconnect();
  }

  #reconnect(): void {
    this.#disconnect();
    let wait = this.#serverDelayMs ?? this.#backoff.next();
    if (!this.#welcomed && this.#serverDelayMs === null) {
      if (this.transportKind === "socket") {
        this.#failures += 1;
        if (this.#failures >= 2) wait = 0;
      } else {
        // Neither transport works: the server is unreachable. Start over with the socket.
        this.#failures = 0;
      }
    }
    this.#setState("waiting");
    this.#cancelRetry = this.#timers.after(wait, () => this.#connect());
  }

  #giveUp(code: ErrorCode, message: string): void {
    this.stop();
    this.#setState("refused");
    this.events.refused(code, message);
  }

  #disconnect(): void {
    this.#cancelRetry();
    this.#cancelTimeout();
    this.#cancelDelayed();
    this.#transport?.close();
    this.#transport = null;
  }

  #setState(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.changed(state);
  }
}

type OpenStream = typeof import("./stream.ts").openStream;

/** Loads the stream transport on demand, only where sockets are blocked. */
const openStreamLazily: OpenStream = (endpoint, cursor, events, fetcher) => {
  let transport: ReturnType<OpenStream> | null = null;
  let ended = false;
  import("./stream.ts").then(
    ({ openStream }) => ended || (transport = openStream(endpoint, cursor, events, fetcher)),
    () => ended || events.closed(0),
  );
  return {
    send: (hint) => transport?.send(hint),
    close() {
      ended = true;
      transport?.close();
    },
  };
};
