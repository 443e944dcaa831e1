import type { ConversationForOperator as Conversation, MessageForOperator, OperatorEvent } from '@ocs/protocol/wire';
import { SvelteMap } from 'svelte/reactivity';
import { api } from '$lib/api/console-api';
import { type ConversationKey, keyOf, keyOfMessage, withMessage, withSnapshot, withWatermark } from './conversation-events';
import { sites } from './sites.svelte';
import { isInView, viewKey, newestFirst, viewQuery, type View } from './views';

/** How much of a view has been loaded: everything updated at `floor` or later. `next` is the cursor of the next page. */
type LoadedRange = { floor: number; next: string | null; loading: boolean; failed: boolean };

const recountDelayMs = 250;

class Inbox {
  conversations = new SvelteMap<ConversationKey, Conversation>();
  view = $state.raw<View>({ tab: 'open', site: null });
  /** The text in the search field. */
  query = $state('');
  /** Counts over all sites. */
  counts = $state.raw({ open: 0, unread: 0 });
  /** Counts of the site in view, once the server has sent them. */
  #siteCounts = $state.raw<{ site: number; open: number; unread: number } | null>(null);
  /** Stays listed after it stops matching the view, so that the open conversation does not disappear. */
  pinned = $state<ConversationKey | null>(null);

  #ranges = new SvelteMap<string, LoadedRange>();
  #fetching = new Map<ConversationKey, Promise<Conversation | null>>();
  #recountTimer: ReturnType<typeof setTimeout> | undefined;
  /** Sites whose counts will be fetched again. */
  #sitesToRecount = new Set<number>();

  /** Counts of the current view: one site, or all. */
  viewCounts = $derived(this.view.site === null ? this.counts : this.#siteCounts?.site === this.view.site ? this.#siteCounts : { open: 0, unread: 0 });

  range = $derived(this.#ranges.get(viewKey(this.view)));

  rows = $derived.by(() => {
    const floor = this.range?.next === null ? -Infinity : (this.range?.floor ?? Infinity);
    const rows: Conversation[] = [];
    for (const [key, conversation] of this.conversations) {
      const listed = isInView(conversation, this.view) && conversation.updated_at >= floor;
      const isPinned = key === this.pinned && (this.view.site ?? conversation.site_id) === conversation.site_id && this.view.tab === 'unread';
      if (listed || isPinned) rows.push(conversation);
    }
    return rows.sort(newestFirst);
  });

  get(site: number, id: number): Conversation | undefined {
    return this.conversations.get(`${site}/${id}`);
  }

  showView(view: View): void {
    this.view = view;
    if (!this.range || this.range.failed) void this.loadMore();
    else if (view.site !== null && this.#siteCounts?.site !== view.site) void this.#countSite(view.site);
  }

  /** Loads the first page. Returns the cursor from which the connection continues. */
  async start(): Promise<string> {
    const page = await api.inbox(viewQuery({ tab: 'open', site: null }, null));
    this.clear();
    this.#mergePage('open:all', page.conversations, page.next);
    this.counts = page.counts;
    if (viewKey(this.view) !== 'open:all') void this.loadMore();
    return page.cursor;
  }

  async loadMore(): Promise<void> {
    const view = this.view;
    const name = viewKey(view);
    const range = this.#ranges.get(name);
    if (range?.loading || (range && range.next === null && !range.failed)) return;
    this.#ranges.set(name, { floor: range?.floor ?? Infinity, next: range?.next ?? '', loading: true, failed: false });
    try {
      const page = await api.inbox(viewQuery(view, range?.next || null));
      this.#mergePage(name, page.conversations, page.next);
      this.#setCounts(view.site, page.counts);
    } catch {
      this.#ranges.set(name, { floor: range?.floor ?? Infinity, next: range?.next ?? '', loading: false, failed: true });
    }
  }

  merge(snapshot: Conversation): Conversation {
    const before = this.conversations.get(keyOf(snapshot));
    const after = withSnapshot(before, snapshot);
    this.#replace(before, after);
    return after;
  }

  set(changed: Conversation): void {
    this.#replace(this.conversations.get(keyOf(changed)), changed);
  }

  apply(event: OperatorEvent): void {
    switch (event.kind) {
      case 'message_sent':
        return this.#applyMessage(event.message);
      case 'conversation_changed':
        if (!this.conversations.has(keyOf(event.conversation))) this.scheduleRecount(event.conversation.site_id);
        this.merge(event.conversation);
        return;
      case 'delivered':
      case 'seen': {
        const known = this.conversations.get(keyOfMessage(event));
        if (known) this.#replace(known, withWatermark(known, event));
        else if (event.kind === 'seen') this.scheduleRecount(event.site_id);
        return;
      }
    }
  }

  /** Loads a conversation that an event or a link refers to and that no page has contained yet. */
  fetchConversation(site: number, id: number): Promise<Conversation | null> {
    const key: ConversationKey = `${site}/${id}`;
    const fetching = this.#fetching.get(key) ?? api.thread(site, id, undefined, 1).then((thread) => this.merge(thread.conversation), () => null);
    this.#fetching.set(key, fetching);
    void fetching.finally(() => this.#fetching.delete(key));
    return fetching;
  }

  /** Fetches the counts again: how an unknown conversation was counted before is known only to the server. Also for its site. */
  scheduleRecount(site?: number): void {
    if (site !== undefined) this.#sitesToRecount.add(site);
    this.#recountTimer ??= setTimeout(() => {
      this.#recountTimer = undefined;
      void api.inbox({ state: 'open', limit: 1 }).then((page) => (this.counts = page.counts), () => {});
      if (this.view.site !== null) void this.#countSite(this.view.site);
      void sites.recount([...this.#sitesToRecount]).catch(() => {});
      this.#sitesToRecount.clear();
    }, recountDelayMs);
  }

  removeSite(site: number): void {
    for (const [key, conversation] of this.conversations) if (conversation.site_id === site) this.conversations.delete(key);
    this.scheduleRecount();
  }

  clear(): void {
    clearTimeout(this.#recountTimer);
    this.#recountTimer = undefined;
    this.#sitesToRecount.clear();
    this.conversations.clear();
    this.#ranges.clear();
    this.counts = { open: 0, unread: 0 };
    this.#siteCounts = null;
  }

  #setCounts(site: number | null, { open, unread }: { open: number; unread: number }): void {
    if (site === null) this.counts = { open, unread };
    else if (site === this.view.site) this.#siteCounts = { site, open, unread };
  }

  async #countSite(site: number): Promise<void> {
    await api.inbox({ state: 'open', site, limit: 1 }).then((page) => this.#setCounts(site, page.counts), () => {});
  }

  #applyMessage(message: MessageForOperator): void {
    const known = this.conversations.get(keyOfMessage(message));
    if (known) return this.#replace(known, withMessage(known, message));
    this.scheduleRecount(message.site_id);
    // The fetched snapshot may be from just before this message.
    void this.fetchConversation(message.site_id, message.conversation_id).then((snapshot) => snapshot && this.#applyMessage(message));
  }

  #mergePage(name: string, conversations: Conversation[], next: string | null): void {
    for (const snapshot of conversations) this.conversations.set(keyOf(snapshot), withSnapshot(this.conversations.get(keyOf(snapshot)), snapshot));
    const last = conversations.at(-1);
    const floor = this.#ranges.get(name)?.floor ?? Infinity;
    this.#ranges.set(name, { floor: Math.min(floor, last?.updated_at ?? Infinity), next, loading: false, failed: false });
  }

  #replace(before: Conversation | undefined, after: Conversation): void {
    if (before === after) return;
    this.conversations.set(keyOf(after), after);
    if (!before) return;
    sites.addUnread(after.site_id, after.unread - before.unread);
    const open = Number(after.state === 'open') - Number(before.state === 'open');
    const unread = Number(after.unread > 0) - Number(before.unread > 0);
    if (!open && !unread) return;
    this.counts = adjustCounts(this.counts, open, unread);
    if (this.#siteCounts?.site === after.site_id) this.#siteCounts = { site: after.site_id, ...adjustCounts(this.#siteCounts, open, unread) };
  }
}

function adjustCounts(counts: { open: number; unread: number }, open: number, unread: number) {
  return { open: Math.max(0, counts.open + open), unread: Math.max(0, counts.unread + unread) };
}

export const inbox = new Inbox();
