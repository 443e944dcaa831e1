import { goto } from '$app/navigation';
import { page } from '$app/state';

/** On to the page that was wanted before signing in; never off this host. */
export function goOn(): Promise<void> {
  const wanted = page.url.searchParams.get('next') ?? '/chat';
  return goto(/^\/(?![/\\])/.test(wanted) ? wanted : '/chat', { replaceState: true });
}
