import { error } from '@sveltejs/kit';
import { ApiError } from '@ocs/protocol';
import { sites } from '$lib/state/sites.svelte';

export async function load({ params, parent }) {
  await parent();
  const id = Number(params.id);
  if (sites.details(id)) return;
  try {
    await sites.refresh(id);
  } catch (problem) {
    if (problem instanceof ApiError && problem.status === 404) error(404);
    throw problem;
  }
}
