import { error } from '@sveltejs/kit';
import { threads } from '$lib/state/thread.svelte';

export function load({ params, url }) {
  const site = Number(params.site);
  const id = Number(params.conversation);
  if (!Number.isSafeInteger(site) || !Number.isSafeInteger(id) || site < 1 || id < 1) error(404);
  // The message to scroll to; an invalid value is ignored.
  const seq = Number(url.searchParams.get('message'));
  return { thread: threads.open(site, id, Number.isSafeInteger(seq) && seq > 0 ? seq : null) };
}
