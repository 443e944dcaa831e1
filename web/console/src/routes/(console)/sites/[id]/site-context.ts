import type { SiteView } from '@ocs/protocol/wire';
import { createContext } from 'svelte';

/** Svelte context for the site whose settings are open. The function returns its current state. */
export const [useSite, provideSite] = createContext<() => SiteView>();
