import { sites } from '$lib/state/sites.svelte';
import { workspace } from '$lib/state/workspace.svelte';

/**
 * Called before a page about a site is shown. If the site belongs to another of the person's workspaces, that one is opened,
 * and the promise never settles because the page loads again.
 */
export async function openWorkspaceOf(site: number, { pathname, search }: URL): Promise<void> {
  if (workspace.list.length < 2 || sites.byId(site)) return;
  try {
    if (!sites.loaded) await sites.load();
    const other = sites.byId(site) ? null : await workspace.ofSite(site);
    if (other === null || other === workspace.current?.id) return;
    workspace.open(other, pathname + search);
  } catch {
    // The page says what can't be loaded.
    return;
  }
  await new Promise(() => {});
}
