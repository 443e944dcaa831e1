import type { SiteStore } from "../../site_store.ts";

/** The longest time that a tab waits for another one's start, in milliseconds. */
const MAX_WAIT_MS = 5_000;
/** What one tab stores becomes visible in others only after a moment. */
const STORAGE_SPREAD_MS = 500;

/**
 * Tabs that start at the same time would each get a token. So one starts, and the others wait until its token is stored and
 * then use it. Without Web Locks (plain http) each tab starts by itself.
 */
export const startInTurn = (name: string, store: SiteStore, begin: () => Promise<void>): Promise<void> =>
  new Promise((resolve) => {
    const run = () => resolve(begin());
    const known = () => store.data.token !== undefined;
    const { locks } = navigator;
    if (known() || !locks) return run();
    // The lock request failed (opaque origin): nothing has run yet.
    locks.request(name, { ifAvailable: true }, (lock) => (lock ? first() : next())).catch(run);

    function first() {
      const begun = begin();
      resolve(begun);
      const waitForSpread = () => after(STORAGE_SPREAD_MS);
      return begun.then(waitForSpread, waitForSpread);
    }

    async function next() {
      let unwatch = () => {};
      await Promise.race([after(MAX_WAIT_MS), new Promise<void>((resolveWait) => {
        const look = () => known() && resolveWait();
        unwatch = store.watch(look);
        look();
      })]);
      unwatch();
      run();
    }
  });

/** A delay without a timer, so that nothing has to be cleared when the chat is destroyed. */
const after = (ms: number) => new Promise<unknown>((later) => (AbortSignal.timeout(ms).onabort = later));
