import type { ConversationForOperator as Conversation, MessageForOperator, OperatorEvent } from '@ocs/protocol/wire';
import { SvelteMap } from 'svelte/reactivity';
import { door } from '$lib/api/door';
import { type Key, keyOf, keyOfMessage, withMessage, withSnapshot, withWatermark } from './conversation-events';
import { sites } from './sites.svelte';
import { belongs, nameOfView, newestFirst, queryOf, type View } from './views';

/** How far a view has been loaded: everything at or above `floor` is known; `next` asks for more. */
type Reach = { floor: number; next: string | null; loading: boolean; failed: boolean };

const recountWithinMs = 250;

class Inbox {
  known = new SvelteMap<Key, Conversation>();
  view = $state.raw<View>({ tab: 'open', site: null });
  /** What is searched for. */
  words = $state('');
  /** Over all sites. */
  counts = $state.raw({ open: 0, unread: 0 });
  /** Of the site in view, once the server has counted it. */
  #siteCounts = $state.raw<{ site: number; open: number; unread: number } | null>(null);
  /** Stays listed though it stopped matching, so that nothing moves away under the reader. */
  pinned = $state<Key | null>(null);

  #reached = new SvelteMap<string, Reach>();
  #asked = new Map<Key, Promise<Conversation | null>>();
  #recount: ReturnType<typeof setTimeout> | undefined;
  /** The sites that are to be counted anew. */
  #recounted = new Set<number>();

  /** Of what the view shows: one site, or all. */
  viewCounts = $derived(this.view.site === null ? this.counts : this.#siteCounts?.site === this.view.site ? this.#siteCounts : { open: 0, unread: 0 });

  reach = $derived(this.#reached.get(nameOfView(this.view)));

  shown = $derived.by(() => {
    const floor = this.reach?.next === null ? -Infinity : (this.reach?.floor ?? Infinity);
    const rows: Conversation[] = [];
    for (const [key, conversation] of this.known) {
      const listed = belongs(conversation, this.view) && conversation.updated_at >= floor;
      const kept = key === this.pinned && (this.view.site ?? conversation.site_id) === conversation.site_id && this.view.tab === 'unread';
      if (listed || kept) rows.push(conversation);
    }
    return rows.sort(newestFirst);
  });

  at(site: number, id: number): Conversation | undefined {
    return this.known.get(`${site}/${id}`);
  }

  look(view: View): void {
    this.view = view;
    if (!this.reach || this.reach.failed) void this.loadMore();
    else if (view.site !== null && this.#siteCounts?.site !== view.site) void this.#countSite(view.site);
  }

  /** The first page gives the cursor from which the socket goes on. */
  async start(): Promise<string> {
    const page = await door.inbox(queryOf({ tab: 'open', site: null }, null));
    this.forget();
    this.#take('open:all', page.conversations, page.next);
    this.counts = page.counts;
    if (nameOfView(this.view) !== 'open:all') void this.loadMore();
    return page.cursor;
  }

  async loadMore(): Promise<void> {
    const view = this.view;
    const name = nameOfView(view);
    const reach = this.#reached.get(name);
    if (reach?.loading || (reach && reach.next === null && !reach.failed)) return;
    this.#reached.set(name, { floor: reach?.floor ?? Infinity, next: reach?.next ?? '', loading: true, failed: false });
    try {
      const page = await door.inbox(queryOf(view, reach?.next || null));
      this.#take(name, page.conversations, page.next);
      this.#keepCounts(view.site, page.counts);
    } catch {
      this.#reached.set(name, { floor: reach?.floor ?? Infinity, next: reach?.next ?? '', loading: false, failed: true });
    }
  }

  keep(copy: Conversation): Conversation {
    const before = this.known.get(keyOf(copy));
    const after = withSnapshot(before, copy);
    this.#set(before, after);
    return after;
  }

  put(changed: Conversation): void {
    this.#set(this.known.get(keyOf(changed)), changed);
  }

  hear(event: OperatorEvent): void {
    switch (event.kind) {
      case 'message_sent':
        return this.#hearMessage(event.message);
      case 'conversation_changed':
        if (!this.known.has(keyOf(event.conversation))) this.recountSoon(event.conversation.site_id);
        this.keep(event.conversation);
        return;
      case 'delivered':
      case 'seen': {
        const known = this.known.get(keyOfMessage(event));
        if (known) this.#set(known, withWatermark(known, event));
        else if (event.kind === 'seen') this.recountSoon(event.site_id);
        return;
      }
    }
  }

  /** Loads a conversation that news or a link speaks of and no page has brought yet. */
  ask(site: number, id: number): Promise<Conversation | null> {
    const key: Key = `${site}/${id}`;
    const asked = this.#asked.get(key) ?? door.thread(site, id, undefined, 1).then((thread) => this.keep(thread.conversation), () => null);
    this.#asked.set(key, asked);
    void asked.finally(() => this.#asked.delete(key));
    return asked;
  }

  /** What a conversation that is not known counted before nobody here can say: the server counts, of its site as well. */
  recountSoon(site?: number): void {
    if (site !== undefined) this.#recounted.add(site);
    this.#recount ??= setTimeout(() => {
      this.#recount = undefined;
      void door.inbox({ state: 'open', limit: 1 }).then((page) => (this.counts = page.counts), () => {});
      if (this.view.site !== null) void this.#countSite(this.view.site);
      void sites.recount([...this.#recounted]).catch(() => {});
      this.#recounted.clear();
    }, recountWithinMs);
  }

  dropSite(site: number): void {
    for (const [key, conversation] of this.known) if (conversation.site_id === site) this.known.delete(key);
    this.recountSoon();
  }

  forget(): void {
    clearTimeout(this.#recount);
    this.#recount = undefined;
    this.#recounted.clear();
    this.known.clear();
    this.#reached.clear();
    this.counts = { open: 0, unread: 0 };
    this.#siteCounts = null;
  }

  #keepCounts(site: number | null, { open, unread }: { open: number; unread: number }): void {
    if (site === null) this.counts = { open, unread };
    else if (site === this.view.site) this.#siteCounts = { site, open, unread };
  }

  async #countSite(site: number): Promise<void> {
    await door.inbox({ state: 'open', site, limit: 1 }).then((page) => this.#keepCounts(site, page.counts), () => {});
  }

  #hearMessage(message: MessageForOperator): void {
    const known = this.known.get(keyOfMessage(message));
    if (known) return this.#set(known, withMessage(known, message));
    this.recountSoon(message.site_id);
    // The copy that comes may be from just before this message.
    void this.ask(message.site_id, message.conversation_id).then((copy) => copy && this.#hearMessage(message));
  }

  #take(name: string, conversations: Conversation[], next: string | null): void {
    for (const copy of conversations) this.known.set(keyOf(copy), withSnapshot(this.known.get(keyOf(copy)), copy));
    const last = conversations.at(-1);
    const floor = this.#reached.get(name)?.floor ?? Infinity;
    this.#reached.set(name, { floor: Math.min(floor, last?.updated_at ?? Infinity), next, loading: false, failed: false });
  }

  #set(before: Conversation | undefined, after: Conversation): void {
    if (before === after) return;
    this.known.set(keyOf(after), after);
    if (!before) return;
    sites.addUnread(after.site_id, after.unread - before.unread);
    const open = Number(after.state === 'open') - Number(before.state === 'open');
    const unread = Number(after.unread > 0) - Number(before.unread > 0);
    if (!open && !unread) return;
    this.counts = changed(this.counts, open, unread);
    if (this.#siteCounts?.site === after.site_id) this.#siteCounts = { site: after.site_id, ...changed(this.#siteCounts, open, unread) };
  }
}

function changed(counts: { open: number; unread: number }, open: number, unread: number) {
  return { open: Math.max(0, counts.open + open), unread: Math.max(0, counts.unread + unread) };
}

export const inbox = new Inbox();
