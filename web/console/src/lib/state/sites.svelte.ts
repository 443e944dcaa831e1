import type { ConfigureSite, SiteLine, SiteView } from '@ocs/protocol/wire';
import { SvelteMap } from 'svelte/reactivity';
import { ApiError } from '@ocs/protocol';
import { api } from '$lib/api/console-api';

/** Up to this many sites are fetched one by one; for more, the whole list is loaded. */
const maxSingleRefetches = 8;

/** The account's sites: a summary of each, because there may be thousands, and full details of those that were opened. */
class Sites {
  list = $state.raw<SiteLine[]>([]);
  loaded = $state(false);
  /** When the newest unread counts arrived from the server (performance.now()). */
  unreadCountedAt = -Infinity;

  #byId = $derived(new Map(this.list.map((site) => [site.id, site])));
  #loading: Promise<void> | undefined;
  #details = new SvelteMap<number, SiteView>();
  /** Sites that were deleted here: an answer from before the deletion may still arrive, and ids are never given again. */
  #deleted = new Set<number>();

  byId(id: number): SiteLine | undefined {
    return this.#byId.get(id);
  }

  nameOf(id: number): string {
    return this.byId(id)?.name ?? (this.loaded ? 'Deleted site' : '');
  }

  /** All details of a site, once they have been loaded. */
  details(id: number): SiteView | undefined {
    return this.#details.get(id);
  }

  /** The sites whose name contains the text. */
  matching(query: string): SiteLine[] {
    const needle = query.trim().toLowerCase();
    return needle ? this.list.filter((site) => site.name.toLowerCase().includes(needle)) : this.list;
  }

  /** Loads the list. Concurrent calls share one request. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async refresh(id: number): Promise<SiteView> {
    return this.set(await api.site(id));
  }

  /** Fetches a site that changed or was deleted. Resolves to false if it no longer exists. */
  async refetch(id: number): Promise<boolean> {
    try {
      const site = await api.site(id);
      if (this.#details.has(id)) this.set(site);
      else this.#setCounted(summaryOf(site));
      return true;
    } catch (problem) {
      if (!(problem instanceof ApiError && problem.status === 404)) throw problem;
      this.discard(id);
      return false;
    }
  }

  async create(name: string): Promise<SiteView> {
    return this.set((await api.createSite({ name })).site);
  }

  async configure(id: number, change: ConfigureSite): Promise<SiteView> {
    return this.set(await api.configureSite(id, change));
  }

  async remove(id: number): Promise<void> {
    // Before the request, so that nothing fetches the site while it is being deleted.
    this.#details.delete(id);
    await api.deleteSite(id);
    this.#deleted.add(id);
    this.discard(id);
  }

  /** Deletes the conversations of an attack; all consoles reload by themselves. Resolves to the number of deleted conversations. */
  async cleanUp(id: number): Promise<number> {
    const { conversations } = await api.cleanUpAbuse(id);
    await this.refresh(id);
    return conversations;
  }

  async dismissAbuse(id: number): Promise<void> {
    this.set(await api.dismissAbuse(id));
  }

  set(site: SiteView): SiteView {
    this.#details.set(site.id, site);
    this.#setCounted(summaryOf(site));
    return site;
  }

  discard(id: number): void {
    this.#details.delete(id);
    this.list = this.list.filter((site) => site.id !== id);
  }

  /** Adjusts the unread count as the inbox changes, between two loads. */
  addUnread(id: number, difference: number): void {
    const site = this.byId(id);
    if (site && difference) this.#setSummary({ ...site, unread: Math.max(0, site.unread + difference) });
  }

  /** Fetches the unread counts of these sites again. */
  async recount(ids: number[]): Promise<void> {
    if (ids.length > maxSingleRefetches) await this.load();
    else await Promise.all(ids.map((id) => this.refetch(id)));
  }

  clear(): void {
    this.#details.clear();
    this.list = [];
    this.loaded = false;
  }

  async #load(): Promise<void> {
    this.list = (await api.mySites()).sites.filter(({ id }) => !this.#deleted.has(id));
    this.unreadCountedAt = performance.now();
    this.loaded = true;
    for (const id of this.#details.keys()) void this.refetch(id).catch(() => {});
  }

  #setCounted(site: SiteLine): void {
    this.unreadCountedAt = performance.now();
    this.#setSummary(site);
  }

  #setSummary(site: SiteLine): void {
    if (this.#deleted.has(site.id)) return;
    const known = this.byId(site.id);
    this.list = known ? this.list.map((other) => (other.id === site.id ? site : other)) : [...this.list, site];
  }
}

function summaryOf(site: SiteView): SiteLine {
  const { id, name, paused, look, limits, seen_page, unread, attack, same_external_id } = site;
  return { id, name, paused, primary: look.primary, primary_text: look.primary_text, image_bytes: limits.image_bytes, seen_page, unread, attack, same_external_id };
}

export const sites = new Sites();
