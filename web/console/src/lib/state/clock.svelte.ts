import { createSubscriber } from 'svelte/reactivity';

/** A reactive clock: `now` updates every `everyMs` while something on the page reads it. */
function createClock(everyMs: number): { readonly now: number } {
  const subscribe = createSubscriber((notify) => {
    const timer = setInterval(notify, everyMs);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      subscribe();
      return Date.now();
    },
  };
}

export const minuteClock = createClock(15_000);
export const secondClock = createClock(1_000);
