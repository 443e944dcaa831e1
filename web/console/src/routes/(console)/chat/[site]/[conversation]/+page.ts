import { error } from '@sveltejs/kit';
import { threads } from '$lib/state/thread.svelte';

export function load({ params }) {
  const site = Number(params.site);
  const id = Number(params.conversation);
  if (!Number.isSafeInteger(site) || !Number.isSafeInteger(id) || site < 1 || id < 1) error(404);
  return { thread: threads.open(site, id) };
}
