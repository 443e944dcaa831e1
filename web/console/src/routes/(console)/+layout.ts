import { redirect } from '@sveltejs/kit';
import { account } from '$lib/state/account.svelte';

export async function load({ url }) {
  if (await account.load()) return;
  redirect(307, `/login?next=${encodeURIComponent(url.pathname + url.search)}`);
}
