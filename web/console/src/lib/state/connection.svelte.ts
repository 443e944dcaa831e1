import { responses, Connection, type ConnectionState, realTimers, scheduleRetry } from '@ocs/protocol';
import type { OperatorEvent, OperatorHello, OperatorHint, OperatorSignal } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';
import { inWorkspace } from '$lib/api/request';
import { inbox } from './inbox.svelte';
import { acknowledgeInbox, applySentMessage, applyEvent, applySignal, receipts, reloadTeam } from './event-dispatch';
import { outbox } from './outbox.svelte';
import { colleagues } from './colleagues.svelte';
import { ownViewing } from './own-viewing';
import { presence } from './presence';
import { sites } from './sites.svelte';
import { type Thread, threads } from './thread.svelte';
import { workspace } from './workspace.svelte';

const bannerAfterMs = 2_000;
const retryMs = 3_000;
const wake = [window, document, responses];

/** The console's connection to the server while somebody is signed in: loads the state, then receives events from its cursor on. */
class ConsoleConnection {
  state = $state<ConnectionState>('stopped');
  /** When the connection was lost, in milliseconds since 1970; null while it is live. */
  downSince = $state<number | null>(null);
  showsBanner = $state(false);
  /** The inbox has been loaded at least once. */
  ready = $state(false);
  /** The thread on the screen, which survives a resync. */
  shownThread: Thread | null = null;

  #active = false;
  #bannerTimer: ReturnType<typeof setTimeout> | undefined;
  #cancelRetry = () => {};
  #connection = new Connection<OperatorEvent, OperatorSignal, OperatorHint>(
    {
      socketUrl: `${location.origin.replace(/^http/, 'ws')}/api/console/socket`,
      get streamUrl() {
        return `/api/console/${inWorkspace('stream')}`;
      },
      hello: async (cursor) => JSON.stringify({ type: 'hello', ticket: (await api.ticket()).ticket, cursor, present: presence.current } satisfies OperatorHello),
      streamHeaders: () => ({}),
      credentials: 'same-origin',
      postHint: (hint) => api.hint(hint),
    },
    {
      event: (event) => applyEvent(event),
      signal: (signal) => applySignal(signal),
      live: () => this.#onLive(),
      resync: () => void this.#resync(),
      refused: () => void this.#onRefused(),
      changed: (state) => this.#onStateChange(state),
    },
    { wake },
  );

  start(): void {
    if (this.#active) return;
    this.#active = true;
    receipts.sendVia((hint) => this.#connection.hint(hint));
    ownViewing.publishVia((hint) => this.#connection.hint(hint));
    presence.publishVia((present) => this.#connection.hint({ type: 'present', present }));
    outbox.onSent = applySentMessage;
    void this.#load();
  }

  stop(): void {
    this.#active = false;
    this.ready = false;
    this.#cancelRetry();
    this.#connection.stop();
    this.#onStateChange('stopped');
  }

  hint(hint: OperatorHint): void {
    this.#connection.hint(hint);
  }

  nudge(): void {
    if (this.#connection.state !== 'stopped') this.#connection.nudge();
    else if (this.#active && this.state === 'waiting') void this.#load();
  }

  async #load(): Promise<void> {
    this.#cancelRetry();
    try {
      void reloadTeam();
      const [cursor] = await Promise.all([inbox.start(), sites.load()]);
      if (!this.#active) return;
      threads.reload(this.shownThread);
      if (this.shownThread) void inbox.fetchConversation(this.shownThread.site, this.shownThread.id);
      this.ready = true;
      acknowledgeInbox();
      this.#connection.start(cursor);
    } catch {
      this.#onStateChange('waiting');
      if (this.#active) this.#cancelRetry = scheduleRetry(realTimers, retryMs, wake, () => void this.#load());
    }
  }

  /** What this member may see has changed, or events were missed. */
  async #resync(): Promise<void> {
    await workspace.refresh().catch(() => {});
    if (workspace.current) await this.#load();
  }

  #onLive(): void {
    colleagues.clear();
    ownViewing.republish();
    receipts.flush();
    presence.republish();
    outbox.resume();
  }

  /** A ticket was refused. If the session or the membership has ended, loading the memberships reveals it. */
  async #onRefused(): Promise<void> {
    this.#cancelRetry();
    this.#cancelRetry = realTimers.after(retryMs, () => this.#active && void this.#load());
    await workspace.refresh().catch(() => {});
  }

  #onStateChange(state: ConnectionState): void {
    this.state = state;
    if (state === 'live' || !this.#active) {
      clearTimeout(this.#bannerTimer);
      this.#bannerTimer = undefined;
      this.showsBanner = false;
      this.downSince = null;
    } else {
      this.downSince ??= Date.now();
      this.#bannerTimer ??= setTimeout(() => (this.showsBanner = true), bannerAfterMs);
    }
  }
}

export const connection = new ConsoleConnection();
