import { api, type SearchQuery } from '$lib/api/console-api';
import { inbox } from './inbox.svelte';

/** Searches once no key has been pressed for this long. */
const debounceMs = 200;

type Page<T> = { results: T[]; next: string | null; indexing: boolean };

/** Search results for the typed text, page by page, newest first. */
class Search<T> {
  results = $state.raw<T[]>([]);
  /** The cursor of the next page; null when everything has been searched. */
  next = $state<string | null>(null);
  /** The server is still building its index, so results may be missing. */
  indexing = $state(false);
  loading = $state(false);
  failed = $state<unknown>(null);

  #query = '';
  #site: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Responses to an earlier generation are dropped. */
  #generation = 0;
  #page: (query: SearchQuery) => Promise<Page<T>>;

  constructor(page: (query: SearchQuery) => Promise<Page<T>>) {
    this.#page = page;
  }

  setQuery(text: string, site: number | null): void {
    if (text.trim() === this.#query && site === this.#site) return;
    this.clear();
    [this.#query, this.#site] = [text.trim(), site];
    if (!this.#query) return;
    this.loading = true;
    this.#timer = setTimeout(() => void this.#load(), debounceMs);
  }

  /** Loads the next page, or retries the one that failed. */
  loadMore(): void {
    if (!this.loading && (this.next || this.failed)) void this.#load();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#generation += 1;
    this.#query = '';
    this.results = [];
    this.next = null;
    this.indexing = this.loading = false;
    this.failed = null;
  }

  async #load(): Promise<void> {
    const generation = this.#generation;
    this.loading = true;
    this.failed = null;
    try {
      // The server bounds its work per page, so a page may be empty although older matches exist.
      do {
        const page = await this.#page({
          q: this.#query,
          ...(this.#site === null ? {} : { site: this.#site }),
          ...(this.next === null ? {} : { before: this.next }),
        });
        if (generation !== this.#generation) return;
        this.results = [...this.results, ...page.results];
        this.next = page.next;
        this.indexing = page.indexing;
      } while (this.results.length === 0 && this.next !== null);
    } catch (problem) {
      if (generation === this.#generation) this.failed = problem;
    } finally {
      if (generation === this.#generation) this.loading = false;
    }
  }
}

/** Messages that match the search. */
export const search = new Search(async (query) => {
  const { messages, next, indexing } = await api.search(query);
  return { results: messages, next: next ?? null, indexing };
});

/** The newest conversation of each person who matches. They are merged into the inbox, which keeps them up to date. */
export const people = new Search(async (query) => {
  const { conversations, next, indexing } = await api.people(query);
  return { results: conversations.map((snapshot) => inbox.merge(snapshot)), next: next ?? null, indexing };
});
