import { error } from '@sveltejs/kit';
import { threads } from '$lib/state/thread.svelte';

export function load({ params, url }) {
  const site = Number(params.site);
  const id = Number(params.conversation);
  if (!Number.isSafeInteger(site) || !Number.isSafeInteger(id) || site < 1 || id < 1) error(404);
  // A message that is to be shown; whatever else stands there is passed over.
  const seq = Number(url.searchParams.get('message'));
  return { thread: threads.open(site, id, Number.isSafeInteger(seq) && seq > 0 ? seq : null) };
}
