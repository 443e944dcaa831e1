import type { Timers } from "./timers.ts";

/** Exponential back-off with full jitter: a random delay below a bound that doubles up to a cap, so that clients cut off together do not reconnect together. */
export class Backoff {
  #attempts = 0;

  constructor(
    private readonly timers: Timers,
    private readonly firstMs = 1_000,
    private readonly capMs = 30_000,
  ) {}

  /** The next delay, in milliseconds. */
  next(): number {
    const bound = Math.min(this.capMs, this.firstMs * 2 ** this.#attempts);
    this.#attempts += 1;
    return Math.floor(this.timers.random() * bound);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
