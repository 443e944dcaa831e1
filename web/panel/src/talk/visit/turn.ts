import type { Record } from "../../record.ts";

/** For no longer does a tab wait for one that begins and gets no answer. */
const PATIENCE_MS = 5_000;
/** What one tab keeps, another may read only a moment later. */
const SPREADS_WITHIN_MS = 500;

/**
 * Tabs that begin at once would be given a token each: one begins, the others wait until its token is kept, and then
 * take it up. Without Web Locks (plain http) each goes alone.
 */
export const inTurn = (name: string, record: Record, begin: () => Promise<void>): Promise<void> =>
  new Promise((resolve) => {
    const go = () => resolve(begin());
    const known = () => record.kept.token !== undefined;
    const { locks } = navigator;
    if (known() || !locks) return go();
    // Refused (an opaque origin): nothing was run yet.
    locks.request(name, { ifAvailable: true }, (lock) => (lock ? first() : next())).catch(go);

    function first() {
      const begun = begin();
      resolve(begun);
      const spread = () => after(SPREADS_WITHIN_MS);
      return begun.then(spread, spread);
    }

    async function next() {
      let unwatch = () => {};
      await Promise.race([after(PATIENCE_MS), new Promise<void>((heard) => {
        const look = () => known() && heard();
        unwatch = record.watch(look);
        look();
      })]);
      unwatch();
      go();
    }
  });

/** No timer of the page's: nothing to clear when the chat is destroyed. */
const after = (ms: number) => new Promise<unknown>((later) => (AbortSignal.timeout(ms).onabort = later));
