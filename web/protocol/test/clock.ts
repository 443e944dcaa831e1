import type { Timers } from "../src/timers.ts";

/** A fake clock that tests advance, with a constant instead of random numbers. */
export class Clock implements Timers {
  #now = 1_000_000;
  #waiting: { at: number; run: () => void }[] = [];

  constructor(private readonly chance = 0.5) {}

  now = () => this.#now;
  random = () => this.chance;
  after = (ms: number, run: () => void) => {
    const entry = { at: this.#now + ms, run };
    this.#waiting.push(entry);
    return () => void (this.#waiting = this.#waiting.filter((other) => other !== entry));
  };

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
    await settle();
  }
}

export const settle = async () => {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
};
