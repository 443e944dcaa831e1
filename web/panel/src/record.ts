import { randomId, type OutboxItem, type OutboxStore } from "@ocs/protocol";

/** All that this browser keeps for one site. */
export type Kept = {
  /** The random id of a visitor whom the site did not name. */
  ocs_external_id?: string;
  token?: string;
  /** Whose token it is. */
  owner?: string;
  anonymous?: boolean;
  /** The launcher looks at these two before the panel is there: up to when an answer may be waiting, in milliseconds. */
  until?: number;
  unread?: number;
  draft?: string;
  /** Where in the draft the next letter goes. */
  caret?: number;
  /** The last message that made a sound, so that one tab does. */
  rang?: string;
  muted?: boolean;
  recent_emoji?: string[];
  outbox?: OutboxItem[];
};

const COOKIE = "ocs_external_id";
const YEAR_S = 31_536_000;

/** One entry of localStorage; the random id alone in a cookie where that is blocked; memory where both are. */
export class Record {
  readonly #name: string;
  readonly #storage: Storage | null;
  #memory: Kept = {};

  constructor(siteKey: string) {
    this.#name = `ocs:${siteKey}`;
    this.#storage = usableStorage();
  }

  /** false: nothing outlives the page, and the visitor is told. */
  get lasting(): boolean {
    return this.#storage !== null || navigator.cookieEnabled;
  }

  get kept(): Kept {
    try {
      const text = this.#storage?.getItem(this.#name);
      if (text) return JSON.parse(text) as Kept;
    } catch {
      // Unreadable: what the page remembers must do.
    }
    return this.#memory;
  }

  keep(change: Partial<Kept>): void {
    const kept = { ...this.kept, ...change };
    this.#memory = kept;
    try {
      this.#storage?.setItem(this.#name, JSON.stringify(kept));
    } catch {
      // Full: memory holds it.
    }
  }

  /** Told when another tab kept something. */
  watch(changed: () => void): () => void {
    const heard = ({ key }: StorageEvent) => key === this.#name && changed();
    addEventListener("storage", heard);
    return () => removeEventListener("storage", heard);
  }

  /** Another person: only what belongs to the browser stays. */
  forgetVisitor(): void {
    const { muted, recent_emoji } = this.kept;
    this.#memory = { muted, recent_emoji };
    try {
      this.#storage?.setItem(this.#name, JSON.stringify(this.#memory));
    } catch {}
    if (this.#storage === null) this.#cookie("", 0);
  }

  anonymousId(): string {
    const known = this.kept.ocs_external_id ?? this.#cookieId();
    if (known) return known;
    const made = `v_${randomId()}`;
    this.keep({ ocs_external_id: made });
    if (this.#storage === null) this.#cookie(made, YEAR_S);
    return made;
  }

  outbox(): OutboxStore {
    const items = () => this.kept.outbox ?? [];
    return {
      load: items,
      put: (item) => this.keep({ outbox: [...items().filter((held) => held.client_id !== item.client_id), item].sort((a, b) => a.at - b.at) }),
      drop: (id) => {
        if (items().some((item) => item.client_id === id)) this.keep({ outbox: items().filter((item) => item.client_id !== id) });
      },
    };
  }

  #cookieId(): string | undefined {
    if (this.#storage !== null) return undefined;
    try {
      return new RegExp(`(?:^|; )${COOKIE}=([\\w-]+)`).exec(document.cookie)?.[1];
    } catch {
      return undefined;
    }
  }

  #cookie(value: string, seconds: number): void {
    try {
      document.cookie = `${COOKIE}=${value}; path=/; max-age=${seconds}; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
    } catch {}
  }
}

/** Found out by reading: nothing may be written before the visitor acts. */
function usableStorage(): Storage | null {
  try {
    localStorage.getItem("ocs");
    return localStorage;
  } catch {
    return null;
  }
}
