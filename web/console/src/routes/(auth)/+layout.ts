import { redirect } from '@sveltejs/kit';
import { account } from '$lib/state/account.svelte';

export async function load({ url }) {
  const about = await account.loadAbout();
  // Nobody can sign in to a server without accounts, so it starts with sign-up.
  if (about.empty && about.signup !== 'closed' && url.pathname === '/login') redirect(307, `/signup${url.search}`);
}
