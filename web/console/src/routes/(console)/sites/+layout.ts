import { sites } from '$lib/state/sites.svelte';

export async function load() {
  if (!sites.loaded) await sites.load();
}
