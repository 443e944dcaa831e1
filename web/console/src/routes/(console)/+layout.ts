import { redirect } from '@sveltejs/kit';
import { account } from '$lib/state/account.svelte';
import { workspace } from '$lib/state/workspace.svelte';

export async function load({ url }) {
  if (await account.load()) return workspace.enter();
  redirect(307, `/login?next=${encodeURIComponent(url.pathname + url.search)}`);
}
