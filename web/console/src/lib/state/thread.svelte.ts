import type { MessageForOperator, Thread as Page } from '@ocs/protocol/wire';
import { api } from '$lib/api/console-api';
import type { ConversationKey } from './conversation-events';
import { inbox } from './inbox.svelte';
import { mergeBySeq } from './merge-messages';

const pageSize = 50;
/** Messages kept in memory, however far somebody scrolls: those farthest away are dropped. */
const maxMessages = 400;

export class Thread {
  messages = $state.raw<MessageForOperator[]>([]);
  /** There are older messages than those loaded. */
  more = $state(false);
  /** There are newer messages than those loaded: somebody reads far above the end. */
  newer = $state(false);
  loaded = $state(false);
  loading = $state(false);
  failed = $state<unknown>(null);
  /** The message to scroll to. A new object for each request, even for the same message. */
  target = $state.raw<{ seq: number } | null>(null);

  /** Incremented whenever all messages are replaced: responses to earlier requests are dropped. */
  #generation = 0;

  constructor(
    readonly site: number,
    readonly id: number,
  ) {}

  /** Loads the newest page. `discard`: replace the loaded messages, which may be outdated. */
  async load(discard = false): Promise<void> {
    if (this.loading && !discard) return;
    this.target = null;
    await this.#replace(undefined, (page) => {
      const touches = !discard && this.messages.length > 0 && (page.messages[0]?.seq ?? 0) <= (this.messages.at(-1)?.seq ?? 0) + 1;
      this.more = touches ? this.more : page.more;
      this.messages = mergeBySeq(touches ? this.messages : [], page.messages);
      this.newer = false;
    });
  }

  /** Shows a message with its context. */
  async goTo(seq: number): Promise<void> {
    this.target = { seq };
    if (!this.messages.some((message) => message.seq === seq)) await this.#around(seq);
  }

  /** Loads the current part again, because what is loaded may be outdated. */
  async reload(): Promise<void> {
    await (this.target ? this.#around(this.target.seq) : this.load(true));
  }

  async #around(seq: number): Promise<void> {
    await this.#replace(seq + pageSize / 2, (page) => {
      this.more = page.more;
      this.messages = page.messages;
      this.newer = (page.messages.at(-1)?.seq ?? 0) < page.conversation.last_seq;
    });
  }

  async #replace(before: number | undefined, apply: (page: Page) => void): Promise<void> {
    const generation = ++this.#generation;
    this.loading = true;
    this.failed = null;
    try {
      const page = await api.thread(this.site, this.id, before, pageSize);
      if (generation !== this.#generation) return;
      inbox.merge(page.conversation);
      apply(page);
      this.loaded = true;
    } catch (problem) {
      if (generation === this.#generation) this.failed = problem;
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }

  async loadOlder(): Promise<void> {
    const oldest = this.messages[0];
    if (!oldest || !this.more || this.loading) return;
    await this.#extend(oldest.seq, (page) => {
      this.more = page.more;
      const messages = mergeBySeq(this.messages, page.messages);
      if (messages.length > maxMessages) this.newer = true;
      this.messages = messages.slice(0, maxMessages);
    });
  }

  async loadNewer(): Promise<void> {
    const newest = this.messages.at(-1);
    if (!newest || !this.newer || this.loading) return;
    // seq has no gaps, so this page begins right after the loaded messages.
    await this.#extend(newest.seq + pageSize + 1, (page) => {
      const messages = mergeBySeq(this.messages, page.messages);
      this.newer = (messages.at(-1)?.seq ?? 0) < page.conversation.last_seq;
      if (messages.length > maxMessages) this.more = true;
      this.messages = messages.slice(-maxMessages);
      if (!this.newer) this.target = null;
    });
  }

  async #extend(before: number, apply: (page: Page) => void): Promise<void> {
    const generation = this.#generation;
    this.loading = true;
    try {
      const page = await api.thread(this.site, this.id, before, pageSize);
      if (generation === this.#generation) apply(page);
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }

  append(message: MessageForOperator): void {
    const last = this.messages.at(-1)?.seq ?? 0;
    if (!this.loaded || this.newer || message.seq <= last) return;
    if (message.seq > last + 1) return void this.load();
    this.messages = [...this.messages, message];
  }

  /** Drops old messages. Called while the reader is at the end. */
  trim(): void {
    if (this.messages.length <= maxMessages || this.newer) return;
    this.messages = this.messages.slice(-maxMessages / 2);
    this.more = true;
  }
}

/** Caches the last twelve threads, so that switching between them needs no request. */
class Threads {
  #cached = new Map<ConversationKey, Thread>();

  /** Returns the thread and starts loading it. `seq`: the message to scroll to. */
  open(site: number, id: number, seq: number | null = null): Thread {
    const key: ConversationKey = `${site}/${id}`;
    const thread = this.#cached.get(key) ?? new Thread(site, id);
    this.#cached.delete(key);
    this.#cached.set(key, thread);
    for (const old of [...this.#cached.keys()].slice(0, -12)) this.#cached.delete(old);
    if (seq !== null) void thread.goTo(seq);
    else if (!thread.loaded) void thread.load();
    return thread;
  }

  append(message: MessageForOperator): void {
    this.#cached.get(`${message.site_id}/${message.conversation_id}`)?.append(message);
  }

  /** After a resync everything may be outdated: loads the shown thread again, keeping the old messages on the screen meanwhile. */
  reload(shownThread: Thread | null): void {
    for (const [key, thread] of this.#cached) if (thread !== shownThread) this.#cached.delete(key);
    void shownThread?.reload();
  }

  clear(): void {
    this.#cached.clear();
  }
}

export const threads = new Threads();
