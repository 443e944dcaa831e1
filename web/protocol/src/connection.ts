import { Backoff } from "./backoff.ts";
import type { Door, Line } from "./line.ts";
import { openSocket, type MakeSocket } from "./socket.ts";
import { realTimers, type Timers } from "./timers.ts";
import { onWake } from "./wake.ts";
import type { Cursor, ErrorCode, Frame } from "./wire.ts";

export type ConnectionState = "stopped" | "connecting" | "live" | "waiting" | "refused";

export type ConnectionEvents<E, S> = {
  event(event: E, cursor: Cursor): void;
  signal(signal: S): void;
  /** A welcome came: repeat what hints may have been lost. */
  live(): void;
  /** Load the state anew and start again from its cursor. */
  resync(): void;
  /** The credential is no longer good. */
  refused(code: ErrorCode, message: string): void;
  changed(state: ConnectionState): void;
};

export type ConnectionParts = {
  timers?: Timers;
  fetch?: typeof fetch;
  socket?: MakeSocket;
  stream?: OpenStream;
  /** Where signs are heard that the server may be reached (see wake.ts). */
  wake?: EventTarget[];
};

const WELCOME_WITHIN_MS = 4_000;
const STABLE_AFTER_MS = 30_000;
const SOCKET_AGAIN_AFTER_MS = 300_000;

/**
 * News from the server, in order, from a cursor on. Socket first; a stream where sockets are blocked.
 * The cursor moves only with events and beats: `welcome` precedes the missed events, so a line that is
 * cut right after it must ask for them again.
 */
export class Connection<E, S, H extends { type: string }> {
  state: ConnectionState = "stopped";
  transport: "socket" | "stream" = "socket";
  #cursor: Cursor = "";
  #line: Line<H> | null = null;
  #failures = 0;
  #welcomed = false;
  #heardAt = 0;
  #silenceMs = 60_000;
  #byeMs: number | null = null;
  #cancelWait = () => {};
  #cancelWatch = () => {};
  #cancelLater = () => {};
  #unwatch = () => {};
  readonly #timers: Timers;
  readonly #backoff: Backoff;
  readonly #wake: EventTarget[];

  constructor(
    private readonly door: Door<H>,
    private readonly events: ConnectionEvents<E, S>,
    private readonly parts: ConnectionParts = {},
  ) {
    this.#timers = parts.timers ?? realTimers;
    this.#backoff = new Backoff(this.#timers);
    this.#wake = parts.wake ?? [];
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  start(cursor: Cursor): void {
    this.stop();
    this.#cursor = cursor;
    this.#unwatch = onWake(this.#wake, (sign) => this.#woken(sign));
    this.#open();
  }

  stop(): void {
    this.#unwatch();
    this.#drop();
    this.#set("stopped");
  }

  /** Dropped unless live: the state they carry is repeated after the next welcome. */
  hint(hint: H): void {
    if (this.state === "live") this.#line?.send(hint);
  }

  /** Try now: do not wait for timers that may have slept. */
  nudge(): void {
    if (this.state === "waiting") {
      this.#backoff.reset();
      this.#open();
    } else if (this.state === "live" && this.#timers.now() - this.#heardAt > this.#silenceMs) {
      this.#lost();
    }
  }

  /** Where the server itself said how long to wait, an answered request does not end the wait. */
  #woken(sign: string): void {
    if (sign !== "answered" || this.#byeMs === null) this.nudge();
  }

  #open(): void {
    this.#drop();
    this.#welcomed = false;
    this.#byeMs = null;
    this.transport = this.#failures >= 2 ? "stream" : "socket";
    this.#set("connecting");
    const events = {
      frame: (frame: { type: string }) => this.#frame(frame as Frame<E, S>),
      closed: (code: number) => this.#closed(code),
    };
    this.#cancelWatch = this.#timers.after(WELCOME_WITHIN_MS, () => {
      // A socket that opens and says nothing is a proxy that swallows frames: no use in a second try.
      if (this.transport === "socket") this.#failures = 1;
      this.#lost();
    });
    this.#line =
      this.transport === "socket"
        ? openSocket(this.door, this.#cursor, events, this.parts.socket ?? ((url) => new WebSocket(url)))
        : (this.parts.stream ?? openStreamLater)(this.door, this.#cursor, events, this.parts.fetch ?? ((...args) => fetch(...args)));
  }

  #frame(frame: Frame<E, S>): void {
    this.#heardAt = this.#timers.now();
    switch (frame.type) {
      case "welcome":
        return this.#welcome(frame.beat_s, frame.cursor);
      case "event":
        // Empty means: keep yours.
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
        this.#byeMs = frame.retry_after_ms;
        return this.#lost();
      case "refused":
        return this.#refuse(frame.code, frame.message);
    }
  }

  #welcome(beatS: number, cursor: Cursor): void {
    this.#welcomed = true;
    this.#silenceMs = beatS * 2_500;
    if (this.#cursor === "") this.#cursor = cursor;
    this.#watch();
    if (this.transport === "socket") {
      this.#failures = 0;
      this.#cancelLater = this.#timers.after(STABLE_AFTER_MS, () => this.#backoff.reset());
    } else {
      this.#backoff.reset();
      this.#cancelLater = this.#timers.after(SOCKET_AGAIN_AFTER_MS, () => {
        this.#failures = 0;
        this.#open();
      });
    }
    this.#set("live");
    this.events.live();
  }

  /** Looks again when it would be too long since the last frame; a timer anew for each frame would cost more than the frame. */
  #watch(): void {
    this.#cancelWatch();
    const left = this.#heardAt + this.#silenceMs - this.#timers.now();
    if (left <= 0) this.#lost();
    else this.#cancelWatch = this.#timers.after(left, () => this.#watch());
  }

  #closed(code: number): void {
    if (code === 4401) return this.#refuse("invalid_token", "");
    if (code === 4403) return this.#refuse("forbidden_origin", "");
    this.#lost();
  }

  #lost(): void {
    this.#drop();
    let wait = this.#byeMs ?? this.#backoff.next();
    if (!this.#welcomed && this.#byeMs === null) {
      if (this.transport === "socket") {
        this.#failures += 1;
        if (this.#failures >= 2) wait = 0;
      } else {
        // Neither way works: the server is away. Begin again with the better one.
        this.#failures = 0;
      }
    }
    this.#set("waiting");
    this.#cancelWait = this.#timers.after(wait, () => this.#open());
  }

  #refuse(code: ErrorCode, message: string): void {
    this.stop();
    this.#set("refused");
    this.events.refused(code, message);
  }

  #drop(): void {
    this.#cancelWait();
    this.#cancelWatch();
    this.#cancelLater();
    this.#line?.close();
    this.#line = null;
  }

  #set(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.changed(state);
  }
}

type OpenStream = typeof import("./stream.ts").openStream;

/** Fetched only where sockets are blocked. */
const openStreamLater: OpenStream = (door, cursor, events, fetcher) => {
  let line: ReturnType<OpenStream> | null = null;
  let ended = false;
  import("./stream.ts").then(
    ({ openStream }) => ended || (line = openStream(door, cursor, events, fetcher)),
    () => ended || events.closed(0),
  );
  return {
    send: (hint) => line?.send(hint),
    close() {
      ended = true;
      line?.close();
    },
  };
};
