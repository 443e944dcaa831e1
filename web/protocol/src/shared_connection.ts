import { Connection, type ConnectionEvents, type ConnectionOptions, type ConnectionState } from "./connection.ts";
import { onWake } from "./wake.ts";
import { Leader, type LeaderOptions, type TabMessage } from "./leader.ts";
import type { Endpoint } from "./transport.ts";

/**
 * A Connection that the tabs of a browser share. It receives from other tabs as soon as it is created, so create it before
 * loading the state; `start` takes the cursor of that state. The listener must ignore duplicates: events carry a seq or a
 * watermark.
 */
export class SharedConnection<E, S, H extends { type: string }> {
  state: ConnectionState = "stopped";
  #cursor: string | null = null;
  #buffered: TabMessage<E, S, H>[] = [];
  readonly #connection: Connection<E, S, H>;
  readonly #unwatch: () => void;
  readonly #leader: Leader<E, S, H>;

  constructor(
    name: string,
    endpoint: Endpoint<H>,
    private readonly events: ConnectionEvents<E, S> & {
      /** A message that another tab sent with `postToTabs`. */
      local(message: unknown): void;
    },
    options: ConnectionOptions & LeaderOptions,
  ) {
    this.#connection = new Connection<E, S, H>(
      endpoint,
      {
        event: (event, cursor) => {
          this.#leader.post({ to: "all", event, cursor });
          this.#event(event, cursor);
        },
        signal: (signal) => {
          this.#leader.post({ to: "all", signal });
          events.signal(signal);
        },
        live: () => events.live(),
        resync: () => {
          this.#leader.post({ to: "all", resync: true });
          events.resync();
        },
        refused: (code, message) => events.refused(code, message),
        changed: (state) => {
          this.#leader.post({ to: "all", state });
          this.#set(state);
        },
      },
      options,
    );
    this.#leader = new Leader<E, S, H>(name, options, {
      onLead: () => this.#connect(),
      onYield: () => this.#connection.stop(),
      onMissed: () => {
        this.#cursor = null;
        events.resync();
      },
      message: (message) => this.#onTabMessage(message),
    });
    this.#leader.start();
    // This tab may notice a wake event that the leading tab misses, because its timers may be suspended.
    this.#unwatch = onWake(options.wake ?? [], () => {
      if (!this.leading && this.state !== "live") this.#leader.post({ to: "leader", nudge: true });
    });
  }

  get leading(): boolean {
    return this.#leader.leading;
  }

  start(cursor: string): void {
    this.#cursor = cursor;
    const buffered = this.#buffered;
    this.#buffered = [];
    for (const message of buffered) this.#onTabMessage(message);
    if (this.leading) this.#connect();
    else this.#leader.post({ to: "leader", ask: true });
  }

  stop(): void {
    this.#unwatch();
    this.#leader.stop();
    this.#connection.stop();
    this.#set("stopped");
  }

  hint(hint: H): void {
    if (this.leading) this.#connection.hint(hint);
    else this.#leader.post({ to: "leader", hint });
  }

  /** Posts a message to the other tabs only, never to the server. */
  postToTabs(local: unknown): void {
    this.#leader.post({ to: "all", local });
  }

  nudge(): void {
    this.#connection.nudge();
  }

  #connect(): void {
    if (this.#cursor !== null) this.#connection.start(this.#cursor);
  }

  #onTabMessage(message: TabMessage<E, S, H>): void {
    if (this.#cursor === null && "event" in message) {
      this.#buffered.push(message);
      return;
    }
    if ("event" in message) this.#event(message.event, message.cursor);
    else if ("signal" in message) this.events.signal(message.signal);
    else if ("local" in message) this.events.local(message.local);
    else if ("resync" in message) this.events.resync();
    else if ("hint" in message) this.#connection.hint(message.hint);
    else if ("nudge" in message) this.#connection.nudge();
    else if ("ask" in message) this.#leader.post({ to: "all", state: this.state });
    else if (!this.leading) this.#set(message.state as ConnectionState);
  }

  #event(event: E, cursor: string): void {
    this.#cursor = cursor;
    this.events.event(event, cursor);
  }

  #set(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.changed(state);
    // A follower can't know which hints its leader lost, so it repeats its own as the leader does.
    if (state === "live" && !this.leading) this.events.live();
  }
}
