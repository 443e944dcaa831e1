import type { Timers } from "./timers.ts";

const CAP_MS = 30_000;

/** Exponential back-off with full jitter: a random delay below a bound that doubles up to 30 s, so that clients cut off together do not reconnect together. */
export class Backoff {
  #attempts = 0;

  constructor(private readonly timers: Timers) {}

  /** The next delay, in milliseconds. */
  next(): number {
    const bound = Math.min(CAP_MS, 1_000 * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.floor(this.timers.random() * bound);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
