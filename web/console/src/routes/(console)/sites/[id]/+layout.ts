import { error } from '@sveltejs/kit';
import { ApiError } from '@ocs/protocol';
import { openWorkspaceOf } from '../../site-workspace';
import { sites } from '$lib/state/sites.svelte';
import { workspace } from '$lib/state/workspace.svelte';

export async function load({ params, url, parent }) {
  await parent();
  const id = Number(params.id);
  if (!workspace.current || sites.details(id)) return;
  await openWorkspaceOf(id, url);
  try {
    await sites.refresh(id);
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 404) error(404);
    throw problem;
  }
}
