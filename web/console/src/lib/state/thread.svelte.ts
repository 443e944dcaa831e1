import type { MessageForOperator } from '@ocs/protocol/wire';
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

  constructor(
    readonly site: number,
    readonly id: number,
  ) {}

  /** `afresh`: what we hold may be untrue and is replaced. */
  async load(afresh = false): Promise<void> {
    if (this.loading && !afresh) return;
    this.loading = true;
    this.failed = null;
    try {
      const page = await door.thread(this.site, this.id, undefined, pageSize);
      inbox.keep(page.conversation);
      const touches = !afresh && this.messages.length > 0 && (page.messages[0]?.seq ?? 0) <= (this.messages.at(-1)?.seq ?? 0) + 1;
      this.more = touches ? this.more : page.more;
      this.messages = inOrder(touches ? this.messages : [], page.messages);
      this.newer = false;
      this.loaded = true;
    } catch (problem) {
      this.failed = problem;
    } finally {
      this.loading = false;
    }
  }

  async loadOlder(): Promise<void> {
    const oldest = this.messages[0];
    if (!oldest || !this.more || this.loading) return;
    this.loading = true;
    try {
      const page = await door.thread(this.site, this.id, oldest.seq, pageSize);
      this.more = page.more;
      const messages = inOrder(this.messages, page.messages);
      if (messages.length > most) this.newer = true;
      this.messages = messages.slice(0, most);
    } finally {
      this.loading = false;
    }
  }

  async loadNewer(): Promise<void> {
    const newest = this.messages.at(-1);
    if (!newest || !this.newer || this.loading) return;
    this.loading = true;
    try {
      // Numbers have no gaps: this page begins right after what is held.
      const page = await door.thread(this.site, this.id, newest.seq + pageSize + 1, pageSize);
      const messages = inOrder(this.messages, page.messages);
      this.newer = (messages.at(-1)?.seq ?? 0) < page.conversation.last_seq;
      if (messages.length > most) this.more = true;
      this.messages = messages.slice(-most);
    } finally {
      this.loading = false;
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

  open(site: number, id: number): Thread {
    const key: Key = `${site}/${id}`;
    const thread = this.#kept.get(key) ?? new Thread(site, id);
    this.#kept.delete(key);
    this.#kept.set(key, thread);
    for (const old of [...this.#kept.keys()].slice(0, -12)) this.#kept.delete(old);
    if (!thread.loaded) void thread.load();
    return thread;
  }

  hear(message: MessageForOperator): void {
    this.#kept.get(`${message.site_id}/${message.conversation_id}`)?.hear(message);
  }

  /** After a resync nothing that we hold may be believed: ask again, and show the old lines meanwhile. */
  reload(shown: Thread | null): void {
    for (const [key, thread] of this.#kept) if (thread !== shown) this.#kept.delete(key);
    void shown?.load(true);
  }

  forget(): void {
    this.#kept.clear();
  }
}

export const threads = new Threads();
