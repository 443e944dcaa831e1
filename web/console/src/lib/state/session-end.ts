import { account } from './account.svelte';
import { colleagues } from './colleagues.svelte';
import { drafts } from './drafts.svelte';
import { inbox } from './inbox.svelte';
import { invitations } from './invitations.svelte';
import { members } from './members.svelte';
import { connection } from './connection.svelte';
import { outbox } from './outbox.svelte';
import { receipts } from './event-dispatch';
import { trays } from './reply-composer.svelte';
import { search } from './search.svelte';
import { sites } from './sites.svelte';
import { threads } from './thread.svelte';
import { workspace } from './workspace.svelte';

/** Clears the operator's data from memory at the end of a session. */
export function clearState(): void {
  connection.stop();
  trays.clear();
  outbox.stop();
  receipts.clear();
  threads.clear();
  inbox.clear();
  search.clear();
  sites.clear();
  colleagues.clear();
  members.clear();
  invitations.clear();
}

/** Also removes the operator's data from the browser's storage, after signing out deliberately. */
export function clearOperatorData(): void {
  outbox.clear();
  drafts.clear();
  clearState();
  account.clear();
  workspace.leave();
}
