import type { MessageForOperator, Thread as Page } from '@ocs/protocol/wire';
import { door } from '$lib/api/door';
import type { Key } from './conversation-events';
import { inbox } from './inbox.svelte';
import { inOrder } from './thread-order';

const pageSize = 50;
/** However far one reads, no more lines than this are held: what is far behind is given back. */
const most = 400;

export class Thread {
  messages = $state.raw<MessageForOperator[]>([]);
  /** There are older ones than those held. */
  more = $state(false);
  /** There are newer ones: somebody reads far above the end. */
  newer = $state(false);
  loaded = $state(false);
  loading = $state(false);
  failed = $state<unknown>(null);
  /** A message that somebody wants to see; anew each time, also when it is the same. */
  sought = $state.raw<{ seq: number } | null>(null);

  /** Counts what replaces all that is held: an answer to what was asked before it comes too late. */
  #turn = 0;

  constructor(
    readonly site: number,
    readonly id: number,
  ) {}

  /** `afresh`: what we hold may be untrue and is replaced. */
  async load(afresh = false): Promise<void> {
    if (this.loading && !afresh) return;
    this.sought = null;
    await this.#replace(undefined, (page) => {
      const touches = !afresh && this.messages.length > 0 && (page.messages[0]?.seq ?? 0) <= (this.messages.at(-1)?.seq ?? 0) + 1;
      this.more = touches ? this.more : page.more;
      this.messages = inOrder(touches ? this.messages : [], page.messages);
      this.newer = false;
    });
  }

  /** Shows a message, with what was said around it. */
  async seek(seq: number): Promise<void> {
    this.sought = { seq };
    if (!this.messages.some((message) => message.seq === seq)) await this.#around(seq);
  }

  /** What we hold may be untrue: asks again, for the same place. */
  async again(): Promise<void> {
    await (this.sought ? this.#around(this.sought.seq) : this.load(true));
  }

  async #around(seq: number): Promise<void> {
    await this.#replace(seq + pageSize / 2, (page) => {
      this.more = page.more;
      this.messages = page.messages;
      this.newer = (page.messages.at(-1)?.seq ?? 0) < page.conversation.last_seq;
    });
  }

  async #replace(before: number | undefined, take: (page: Page) => void): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    this.failed = null;
    try {
      const page = await door.thread(this.site, this.id, before, pageSize);
      if (turn !== this.#turn) return;
      inbox.keep(page.conversation);
      take(page);
      this.loaded = true;
    } catch (problem) {
      if (turn === this.#turn) this.failed = problem;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  async loadOlder(): Promise<void> {
    const oldest = this.messages[0];
    if (!oldest || !this.more || this.loading) return;
    await this.#extend(oldest.seq, (page) => {
      this.more = page.more;
      const messages = inOrder(this.messages, page.messages);
      if (messages.length > most) this.newer = true;
      this.messages = messages.slice(0, most);
    });
  }

  async loadNewer(): Promise<void> {
    const newest = this.messages.at(-1);
    if (!newest || !this.newer || this.loading) return;
    // Numbers have no gaps: this page begins right after what is held.
    await this.#extend(newest.seq + pageSize + 1, (page) => {
      const messages = inOrder(this.messages, page.messages);
      this.newer = (messages.at(-1)?.seq ?? 0) < page.conversation.last_seq;
      if (messages.length > most) this.more = true;
      this.messages = messages.slice(-most);
      if (!this.newer) this.sought = null;
    });
  }

  async #extend(before: number, take: (page: Page) => void): Promise<void> {
    const turn = this.#turn;
    this.loading = true;
    try {
      const page = await door.thread(this.site, this.id, before, pageSize);
      if (turn === this.#turn) take(page);
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  hear(message: MessageForOperator): void {
    const last = this.messages.at(-1)?.seq ?? 0;
    if (!this.loaded || this.newer || message.seq <= last) return;
    if (message.seq > last + 1) return void this.load();
    this.messages = [...this.messages, message];
  }

  /** Called while the reader is at the end. */
  trim(): void {
    if (this.messages.length <= most || this.newer) return;
    this.messages = this.messages.slice(-most / 2);
    this.more = true;
  }
}

/** The last few threads stay ready, so that going back and forth needs no request. */
class Threads {
  #kept = new Map<Key, Thread>();

  /** `seq`: a message in it that is to be shown. */
  open(site: number, id: number, seq: number | null = null): Thread {
    const key: Key = `${site}/${id}`;
    const thread = this.#kept.get(key) ?? new Thread(site, id);
    this.#kept.delete(key);
    this.#kept.set(key, thread);
    for (const old of [...this.#kept.keys()].slice(0, -12)) this.#kept.delete(old);
    if (seq !== null) void thread.seek(seq);
    else if (!thread.loaded) void thread.load();
    return thread;
  }

  hear(message: MessageForOperator): void {
    this.#kept.get(`${message.site_id}/${message.conversation_id}`)?.hear(message);
  }

  /** After a resync nothing that we hold may be believed: ask again, and show the old lines meanwhile. */
  reload(shown: Thread | null): void {
    for (const [key, thread] of this.#kept) if (thread !== shown) this.#kept.delete(key);
    void shown?.again();
  }

  forget(): void {
    this.#kept.clear();
  }
}

export const threads = new Threads();
