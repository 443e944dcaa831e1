import { goto } from '$app/navigation';
import { page } from '$app/state';

/** Goes to the page that was requested before signing in; never to another host. */
export function goToRequestedPage(): Promise<void> {
  const path = page.url.searchParams.get('next') ?? '/chat';
  return goto(/^\/(?![/\\])/.test(path) ? path : '/chat', { replaceState: true });
}
