import type { ConfigureSite, SiteLine, SiteView } from '@ocs/protocol/wire';
import { SvelteMap } from 'svelte/reactivity';
import { Refusal } from '@ocs/protocol';
import { door } from '$lib/api/door';

/** More sites than these are asked for together. */
const oneByOne = 8;

/** The sites of the account: a line of each, because there may be thousands, and all about those that were looked at. */
class Sites {
  list = $state.raw<SiteLine[]>([]);
  loaded = $state(false);
  /** When the server's count of what is unread on any of them came. */
  countedAt = -Infinity;

  #byId = $derived(new Map(this.list.map((site) => [site.id, site])));
  #loading: Promise<void> | undefined;
  #whole = new SvelteMap<number, SiteView>();

  byId(id: number): SiteLine | undefined {
    return this.#byId.get(id);
  }

  nameOf(id: number): string {
    return this.byId(id)?.name ?? (this.loaded ? 'Deleted site' : '');
  }

  /** Everything about a site, once it was refreshed. */
  whole(id: number): SiteView | undefined {
    return this.#whole.get(id);
  }

  /** Those with these letters in their name. */
  named(words: string): SiteLine[] {
    const wanted = words.trim().toLowerCase();
    return wanted ? this.list.filter((site) => site.name.toLowerCase().includes(wanted)) : this.list;
  }

  /** Who asks while it is on its way gets the same. */
  load(): Promise<void> {
    this.#loading ??= this.#load().finally(() => (this.#loading = undefined));
    return this.#loading;
  }

  async refresh(id: number): Promise<SiteView> {
    return this.keep(await door.site(id));
  }

  /** A site has changed, or is gone. Answers whether it is still there. */
  async hear(id: number): Promise<boolean> {
    try {
      const site = await door.site(id);
      if (this.#whole.has(id)) this.keep(site);
      else this.#count(lineOf(site));
      return true;
    } catch (problem) {
      if (!(problem instanceof Refusal && problem.status === 404)) throw problem;
      this.drop(id);
      return false;
    }
  }

  async create(name: string): Promise<SiteView> {
    return this.keep((await door.createSite({ name })).site);
  }

  async configure(id: number, change: ConfigureSite): Promise<SiteView> {
    return this.keep(await door.configureSite(id, change));
  }

  async remove(id: number): Promise<void> {
    // First, so that nobody asks for what is going.
    this.#whole.delete(id);
    await door.deleteSite(id);
    this.drop(id);
  }

  /** Removes what an attack left behind; the consoles load anew by themselves. Answers how many conversations went. */
  async cleanUp(id: number): Promise<number> {
    const { conversations } = await door.cleanUpAttack(id);
    await this.refresh(id);
    return conversations;
  }

  async settleAttack(id: number): Promise<void> {
    this.keep(await door.settleAttack(id));
  }

  keep(site: SiteView): SiteView {
    this.#whole.set(site.id, site);
    this.#count(lineOf(site));
    return site;
  }

  drop(id: number): void {
    this.#whole.delete(id);
    this.list = this.list.filter((site) => site.id !== id);
  }

  /** Unread follows the inbox between two loads. */
  addUnread(id: number, difference: number): void {
    const site = this.byId(id);
    if (site && difference) this.#keepLine({ ...site, unread: Math.max(0, site.unread + difference) });
  }

  /** Has the server count what is unread on these. */
  async recount(ids: number[]): Promise<void> {
    if (ids.length > oneByOne) await this.load();
    else await Promise.all(ids.map((id) => this.hear(id)));
  }

  forget(): void {
    this.#whole.clear();
    this.list = [];
    this.loaded = false;
  }

  async #load(): Promise<void> {
    this.list = (await door.mySites()).sites;
    this.countedAt = performance.now();
    this.loaded = true;
    for (const id of this.#whole.keys()) void this.hear(id).catch(() => {});
  }

  #count(site: SiteLine): void {
    this.countedAt = performance.now();
    this.#keepLine(site);
  }

  #keepLine(site: SiteLine): void {
    const known = this.byId(site.id);
    this.list = known ? this.list.map((other) => (other.id === site.id ? site : other)) : [...this.list, site];
  }
}

function lineOf(site: SiteView): SiteLine {
  const { id, name, paused, look, limits, seen_page, unread, attack, same_external_id } = site;
  return { id, name, paused, primary: look.primary, primary_text: look.primary_text, image_bytes: limits.image_bytes, seen_page, unread, attack, same_external_id };
}

export const sites = new Sites();
