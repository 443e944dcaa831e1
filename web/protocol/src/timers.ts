/** Clock, random numbers and timers are injected, so that tests control them. */
export type Timers = {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  /** From 0 up to but not including 1. */
  random(): number;
  /** Calls `run` once after `ms` milliseconds. Returns a function that cancels it. */
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
