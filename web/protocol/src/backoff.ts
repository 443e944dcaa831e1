import type { Timers } from "./timers.ts";

const CAP_MS = 30_000;

/** Full jitter: any moment between now and a bound that doubles, so that clients cut off together do not return together. */
export class Backoff {
  #tries = 0;

  constructor(private readonly timers: Timers) {}

  next(): number {
    const bound = Math.min(CAP_MS, 1_000 * 2 ** this.#tries);
    this.#tries += 1;
    return Math.floor(this.timers.random() * bound);
  }

  reset(): void {
    this.#tries = 0;
  }
}
