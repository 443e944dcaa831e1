import { readTab, writeTab } from './browser-storage';

/**
 * The secret of a link such as /invite#token. It is taken out of the address, so that it gets into no history and no
 * screenshot, and kept for this tab alone, so that reloading the page or signing in first does not lose it.
 */
export class LinkToken {
  #key: string;

  constructor(name: string) {
    this.#key = `ocs.link.${name}`;
  }

  /** Takes the token from the address, or returns the one that this tab has; an empty string if there is none. */
  take(): string {
    const token = location.hash.slice(1);
    if (!token) return readTab(this.#key) ?? '';
    writeTab(this.#key, token);
    return token;
  }

  /** Forgets the token: it was used, or it does not work. */
  forget(): void {
    writeTab(this.#key, null);
  }
}
