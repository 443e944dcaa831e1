import { answers, Connection, type ConnectionState, realTimers, tryAgain } from '@ocs/protocol';
import type { OperatorEvent, OperatorHello, OperatorHint, OperatorSignal } from '@ocs/protocol/wire';
import { door } from '$lib/api/door';
import { inbox } from './inbox.svelte';
import { acknowledgeInbox, hearAnswer, hearEvent, hearSignal, receipts } from './news';
import { outbox } from './outbox.svelte';
import { presence } from './presence';
import { sites } from './sites.svelte';
import { type Thread, threads } from './thread.svelte';

const bannerAfterMs = 2_000;
const againMs = 3_000;
const wake = [window, document, answers];

/** The console's line to the server: state first, then news from its cursor on, for as long as somebody is signed in. */
class Live {
  state = $state<ConnectionState>('stopped');
  /** Down for long enough to say so; since when. */
  downSince = $state<number | null>(null);
  late = $state(false);
  /** The inbox has been loaded once. */
  ready = $state(false);
  /** The thread on screen survives a resync. */
  shown: Thread | null = null;

  #wanted = false;
  #banner: ReturnType<typeof setTimeout> | undefined;
  #again = () => {};
  #connection = new Connection<OperatorEvent, OperatorSignal, OperatorHint>(
    {
      socketUrl: `${location.origin.replace(/^http/, 'ws')}/api/console/socket`,
      streamUrl: '/api/console/stream',
      hello: async (cursor) => JSON.stringify({ type: 'hello', ticket: (await door.ticket()).ticket, cursor, present: presence.now } satisfies OperatorHello),
      streamHeaders: () => ({}),
      credentials: 'same-origin',
      postHint: (hint) => door.hint(hint),
    },
    {
      event: (event) => hearEvent(event),
      signal: (signal) => hearSignal(signal),
      live: () => this.#live(),
      resync: () => void this.#load(),
      refused: () => void this.#refused(),
      changed: (state) => this.#changed(state),
    },
    { wake },
  );

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    receipts.carryBy((hint) => this.#connection.hint(hint));
    presence.toldBy((present) => this.#connection.hint({ type: 'present', present }));
    outbox.sent = hearAnswer;
    void this.#load();
  }

  stop(): void {
    this.#wanted = false;
    this.ready = false;
    this.#again();
    this.#connection.stop();
    this.#changed('stopped');
  }

  hint(hint: OperatorHint): void {
    this.#connection.hint(hint);
  }

  nudge(): void {
    if (this.#connection.state !== 'stopped') this.#connection.nudge();
    else if (this.#wanted && this.state === 'waiting') void this.#load();
  }

  async #load(): Promise<void> {
    this.#again();
    try {
      const [cursor] = await Promise.all([inbox.start(), sites.load()]);
      if (!this.#wanted) return;
      threads.reload(this.shown);
      if (this.shown) void inbox.ask(this.shown.site, this.shown.id);
      this.ready = true;
      acknowledgeInbox();
      this.#connection.start(cursor);
    } catch {
      this.#changed('waiting');
      if (this.#wanted) this.#again = tryAgain(realTimers, againMs, wake, () => void this.#load());
    }
  }

  #live(): void {
    receipts.repeat();
    presence.repeat();
    outbox.resume();
  }

  /** A ticket was refused. When the session itself has ended, asking for anything says so and leads to the sign-in page. */
  async #refused(): Promise<void> {
    this.#again();
    this.#again = realTimers.after(againMs, () => this.#wanted && void this.#load());
    await door.me().catch(() => {});
  }

  #changed(state: ConnectionState): void {
    this.state = state;
    if (state === 'live' || !this.#wanted) {
      clearTimeout(this.#banner);
      this.#banner = undefined;
      this.late = false;
      this.downSince = null;
    } else {
      this.downSince ??= Date.now();
      this.#banner ??= setTimeout(() => (this.late = true), bannerAfterMs);
    }
  }
}

export const live = new Live();
