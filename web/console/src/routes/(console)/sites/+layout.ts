import { sites } from '$lib/state/sites.svelte';
import { workspace } from '$lib/state/workspace.svelte';

export async function load({ parent }) {
  await parent();
  if (workspace.current && !sites.loaded) await sites.load();
}
