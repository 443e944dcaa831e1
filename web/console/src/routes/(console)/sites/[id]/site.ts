import type { SiteView } from '@ocs/protocol/wire';
import { createContext } from 'svelte';

/** The site whose settings are open, always its newest form. */
export const [siteOfPage, provideSite] = createContext<() => SiteView>();
