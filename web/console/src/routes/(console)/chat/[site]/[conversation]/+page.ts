import { error } from '@sveltejs/kit';
import { openWorkspaceOf } from '../../../site-workspace';
import { threads } from '$lib/state/thread.svelte';

export async function load({ params, url, parent }) {
  await parent();
  const site = Number(params.site);
  const id = Number(params.conversation);
  if (!Number.isSafeInteger(site) || !Number.isSafeInteger(id) || site < 1 || id < 1) error(404);
  await openWorkspaceOf(site, url);
  // The message to scroll to; an invalid value is ignored.
  const seq = Number(url.searchParams.get('message'));
  return { thread: threads.open(site, id, Number.isSafeInteger(seq) && seq > 0 ? seq : null) };
}
