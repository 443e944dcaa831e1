import { account } from '$lib/state/account.svelte';

export async function load() {
  await account.loadAbout();
}
