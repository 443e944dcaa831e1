import { createSubscriber } from 'svelte/reactivity';

/** The time, kept current while something on the page reads it. */
function ticking(everyMs: number): { readonly now: number } {
  const subscribe = createSubscriber((update) => {
    const timer = setInterval(update, everyMs);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      subscribe();
      return Date.now();
    },
  };
}

export const minutes = ticking(15_000);
export const seconds = ticking(1_000);
