import { Connection, type ConnectionEvents, type ConnectionOptions, type ConnectionState } from "./connection.ts";
import { onWake } from "./wake.ts";
import { Leader, type LeaderParts, type Post } from "./leader.ts";
import type { Endpoint } from "./transport.ts";

/**
 * A Connection that the tabs of a browser share. Listens to the others from the moment it is made, so make it
 * before asking for the state; `start` gives it the cursor of that state. What arrives twice is the
 * listener's to ignore: events name a seq or a watermark.
 */
export class SharedConnection<E, S, H extends { type: string }> {
  state: ConnectionState = "stopped";
  #cursor: string | null = null;
  #early: Post<E, S, H>[] = [];
  readonly #connection: Connection<E, S, H>;
  readonly #unwatch: () => void;
  readonly #leader: Leader<E, S, H>;

  constructor(
    name: string,
    endpoint: Endpoint<H>,
    private readonly events: ConnectionEvents<E, S> & {
      /** Said by another tab with `tell`. */
      local(said: unknown): void;
    },
    parts: ConnectionOptions & LeaderParts,
  ) {
    this.#connection = new Connection<E, S, H>(
      endpoint,
      {
        event: (event, cursor) => {
          this.#leader.tell({ to: "all", event, cursor });
          this.#event(event, cursor);
        },
        signal: (signal) => {
          this.#leader.tell({ to: "all", signal });
          events.signal(signal);
        },
        live: () => events.live(),
        resync: () => {
          this.#leader.tell({ to: "all", resync: true });
          events.resync();
        },
        refused: (code, message) => events.refused(code, message),
        changed: (state) => {
          this.#leader.tell({ to: "all", state });
          this.#set(state);
        },
      },
      parts,
    );
    this.#leader = new Leader<E, S, H>(name, parts, {
      lead: () => this.#connect(),
      yieldLead: () => this.#connection.stop(),
      missed: () => {
        this.#cursor = null;
        events.resync();
      },
      post: (post) => this.#heard(post),
    });
    this.#leader.start();
    // What this tab finds out, the tab that holds the line may not: its timers may sleep.
    this.#unwatch = onWake(parts.wake ?? [], () => {
      if (!this.leading && this.state !== "live") this.#leader.tell({ to: "leader", nudge: true });
    });
  }

  get leading(): boolean {
    return this.#leader.leading;
  }

  start(cursor: string): void {
    this.#cursor = cursor;
    const early = this.#early;
    this.#early = [];
    for (const post of early) this.#heard(post);
    if (this.leading) this.#connect();
    else this.#leader.tell({ to: "leader", ask: true });
  }

  stop(): void {
    this.#unwatch();
    this.#leader.stop();
    this.#connection.stop();
    this.#set("stopped");
  }

  hint(hint: H): void {
    if (this.leading) this.#connection.hint(hint);
    else this.#leader.tell({ to: "leader", hint });
  }

  /** To the other tabs only, never to the server. */
  tell(local: unknown): void {
    this.#leader.tell({ to: "all", local });
  }

  nudge(): void {
    this.#connection.nudge();
  }

  #connect(): void {
    if (this.#cursor !== null) this.#connection.start(this.#cursor);
  }

  #heard(post: Post<E, S, H>): void {
    if (this.#cursor === null && "event" in post) {
      this.#early.push(post);
      return;
    }
    if ("event" in post) this.#event(post.event, post.cursor);
    else if ("signal" in post) this.events.signal(post.signal);
    else if ("local" in post) this.events.local(post.local);
    else if ("resync" in post) this.events.resync();
    else if ("hint" in post) this.#connection.hint(post.hint);
    else if ("nudge" in post) this.#connection.nudge();
    else if ("ask" in post) this.#leader.tell({ to: "all", state: this.state });
    else if (!this.leading) this.#set(post.state as ConnectionState);
  }

  #event(event: E, cursor: string): void {
    this.#cursor = cursor;
    this.events.event(event, cursor);
  }

  #set(state: ConnectionState): void {
    if (this.state === state) return;
    this.state = state;
    this.events.changed(state);
    // A follower cannot know what hints its leader lost: it repeats them as the leader does.
    if (state === "live" && !this.leading) this.events.live();
  }
}
