import { account } from './account.svelte';
import { drafts } from './drafts.svelte';
import { inbox } from './inbox.svelte';
import { live } from './live.svelte';
import { outbox } from './outbox.svelte';
import { receipts } from './news';
import { trays } from './reply.svelte';
import { search } from './search.svelte';
import { sites } from './sites.svelte';
import { threads } from './thread.svelte';

/** The session is over: nothing of this operator stays on the screen. */
export function rest(): void {
  live.stop();
  trays.forget();
  outbox.rest();
  receipts.forget();
  threads.forget();
  inbox.forget();
  search.forget();
  sites.forget();
}

/** Signed out by choice: nothing of this operator stays in the browser either. */
export function leave(): void {
  outbox.forget();
  drafts.forget();
  rest();
  account.forget();
}
