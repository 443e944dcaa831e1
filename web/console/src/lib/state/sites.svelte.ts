import type { ConfigureSite, SiteCreated, SiteView } from '@ocs/protocol/wire';
import { door } from '$lib/api/door';

class Sites {
  list = $state.raw<SiteView[]>([]);
  loaded = $state(false);

  byId(id: number): SiteView | undefined {
    return this.list.find((site) => site.id === id);
  }

  nameOf(id: number): string {
    return this.byId(id)?.name ?? 'Deleted site';
  }

  async load(): Promise<void> {
    this.list = (await door.sites()).sites;
    this.loaded = true;
  }

  async refresh(id: number): Promise<SiteView> {
    return this.keep(await door.site(id));
  }

  async create(name: string): Promise<SiteCreated> {
    const created = await door.createSite({ name });
    this.keep(created.site);
    return created;
  }

  async configure(id: number, change: ConfigureSite): Promise<SiteView> {
    return this.keep(await door.configureSite(id, change));
  }

  async remove(id: number): Promise<void> {
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
    const known = this.list.some((other) => other.id === site.id);
    this.list = known ? this.list.map((other) => (other.id === site.id ? site : other)) : [...this.list, site];
    return site;
  }

  drop(id: number): void {
    this.list = this.list.filter((site) => site.id !== id);
  }

  /** Unread follows the inbox between two loads. */
  addUnread(id: number, difference: number): void {
    const site = this.byId(id);
    if (site && difference) this.keep({ ...site, unread: Math.max(0, site.unread + difference) });
  }

  forget(): void {
    this.list = [];
    this.loaded = false;
  }
}

export const sites = new Sites();
