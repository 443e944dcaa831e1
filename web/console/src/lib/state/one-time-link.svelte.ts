import { ApiError } from '@ocs/protocol';
import { readTab, writeTab } from './browser-storage';
import { Form } from './form.svelte';

/**
 * A link such as /invite#token, which works once. The token is taken out of the address, so that it gets into no history and
 * no screenshot, and kept for this tab alone, so that reloading the page or signing in first does not lose it.
 */
export class OneTimeLink<T> {
  /** What the server says about the link; null until it is loaded. */
  opened = $state.raw<T | null>(null);
  /** Why it could not be loaded, other than that the link does not work. */
  problem = $state<unknown>(null);
  /** There is no token, or the server no longer takes it. */
  gone = $state(false);
  /** The form that uses the link. */
  readonly form = new Form();

  #key: string;
  #load: (token: string) => Promise<T>;
  #token = '';

  constructor(name: string, load: (token: string) => Promise<T>) {
    this.#key = `ocs.link.${name}`;
    this.#load = load;
  }

  /** Takes the token from the address, or the one that this tab has, and loads what it opens. */
  start(): void {
    this.#token = location.hash.slice(1) || (readTab(this.#key) ?? '');
    if (this.#token) writeTab(this.#key, this.#token);
    this.gone = this.#token === '';
    this.opened = null;
    this.form.clearError();
    if (this.#token) void this.load();
  }

  async load(): Promise<void> {
    this.problem = null;
    try {
      this.opened = await this.#load(this.#token);
    } catch (refusal) {
      if (!this.#ends(refusal)) this.problem = refusal;
    }
  }

  /** Uses the link and forgets its token. Resolves to false if the server refused; `form` or `gone` then tell why. */
  async use(act: (token: string) => Promise<void>): Promise<boolean> {
    const done = await this.form.submit(async () => {
      try {
        await act(this.#token);
      } catch (refusal) {
        if (!this.#ends(refusal)) throw refusal;
      }
    });
    if (!done || this.gone) return false;
    this.forget();
    return true;
  }

  /** Forgets the token: it was used, or it does not work. */
  forget(): void {
    writeTab(this.#key, null);
  }

  /** Whether the refusal means that the link does not work. */
  #ends(refusal: unknown): boolean {
    if (!(refusal instanceof ApiError) || refusal.status !== 404) return false;
    this.gone = true;
    this.forget();
    return true;
  }
}
