import type { FoundMessage } from '@ocs/protocol/wire';
import { door } from '$lib/api/door';

/** Whoever types on is not asked about yet. */
const pauseMs = 200;

/** Messages that say what is looked for, the newest first. */
class Search {
  found = $state.raw<FoundMessage[]>([]);
  /** Where to look further back; null when all was looked at. */
  next = $state<string | null>(null);
  /** The server is still making its index: some are not found yet. */
  indexing = $state(false);
  loading = $state(false);
  failed = $state<unknown>(null);

  #words = '';
  #site: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** An answer to what was asked before it comes too late. */
  #turn = 0;

  look(words: string, site: number | null): void {
    if (words.trim() === this.#words && site === this.#site) return;
    this.forget();
    [this.#words, this.#site] = [words.trim(), site];
    if (!this.#words) return;
    this.loading = true;
    this.#timer = setTimeout(() => void this.#ask(), pauseMs);
  }

  /** Looks further back; again, when that failed. */
  more(): void {
    if (!this.loading && (this.next || this.failed)) void this.#ask();
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#words = '';
    this.found = [];
    this.next = null;
    this.indexing = this.loading = false;
    this.failed = null;
  }

  async #ask(): Promise<void> {
    const turn = this.#turn;
    this.loading = true;
    this.failed = null;
    try {
      // A page is a bounded piece of work and may be empty though there is more further back.
      do {
        const page = await door.search({
          q: this.#words,
          ...(this.#site === null ? {} : { site: this.#site }),
          ...(this.next === null ? {} : { before: this.next }),
        });
        if (turn !== this.#turn) return;
        this.found = [...this.found, ...page.messages];
        this.next = page.next ?? null;
        this.indexing = page.indexing;
      } while (this.found.length === 0 && this.next !== null);
    } catch (problem) {
      if (turn === this.#turn) this.failed = problem;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }
}

export const search = new Search();
