/** Time and chance are handed in, so that tests set the clock. */
export type Timers = {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** At least 0, less than 1. */
  random(): number;
  /** Runs once after `ms`; the answer cancels it. */
  after(ms: number, run: () => void): () => void;
};

export const realTimers: Timers = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, run) {
    const id = setTimeout(run, ms);
    return () => clearTimeout(id);
  },
};
