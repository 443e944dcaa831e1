import { door, type SearchQuery } from '$lib/api/door';
import { inbox } from './inbox.svelte';

/** Whoever types on is not asked about yet. */
const pauseMs = 200;

type Found<T> = { found: T[]; next: string | null; indexing: boolean };

/** What is found under the typed words, page by page, the newest first. */
class Search<T> {
  found = $state.raw<T[]>([]);
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
  #page: (query: SearchQuery) => Promise<Found<T>>;

  constructor(page: (query: SearchQuery) => Promise<Found<T>>) {
    this.#page = page;
  }

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
        const page = await this.#page({
          q: this.#words,
          ...(this.#site === null ? {} : { site: this.#site }),
          ...(this.next === null ? {} : { before: this.next }),
        });
        if (turn !== this.#turn) return;
        this.found = [...this.found, ...page.found];
        this.next = page.next;
        this.indexing = page.indexing;
      } while (this.found.length === 0 && this.next !== null);
    } catch (problem) {
      if (turn === this.#turn) this.failed = problem;
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }
}

/** Messages that say what is looked for. */
export const search = new Search(async (query) => {
  const { messages, next, indexing } = await door.search(query);
  return { found: messages, next: next ?? null, indexing };
});

/** The newest conversation of each person who is called so. They are known to the inbox, which hears what becomes of them. */
export const people = new Search(async (query) => {
  const { conversations, next, indexing } = await door.people(query);
  return { found: conversations.map((copy) => inbox.keep(copy)), next: next ?? null, indexing };
});
