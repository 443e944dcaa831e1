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

/**
 * Who this is, what is being written, what waits to be sent: an entry each. A tab writes an entry as a whole, so what
 * one writes all the time must not undo what another was given.
 */
type Entry = "" | ":draft" | ":outbox";
const ENTRIES: Entry[] = ["", ":draft", ":outbox"];
const ENTRY_OF: { [field: string]: Entry } = { draft: ":draft", caret: ":draft", outbox: ":outbox" };

/** Entries of localStorage; the random id alone in a cookie where that is blocked; memory where both are. */
export class Record {
  readonly #name: string;
  readonly #storage: Storage | null;
  readonly #memory: { [entry in Entry]?: Kept } = {};
  /** As last read or written: what is still the same text is neither parsed nor written again. */
  readonly #texts: { [entry in Entry]?: string } = {};

  constructor(siteKey: string) {
    this.#name = `ocs:${siteKey}`;
    this.#storage = usableStorage();
  }

  /** false: nothing outlives the page, and the visitor is told. */
  get lasting(): boolean {
    return this.#storage !== null || navigator.cookieEnabled;
  }

  get kept(): Kept {
    return Object.assign({}, ...ENTRIES.map((entry) => this.#read(entry))) as Kept;
  }

  keep(change: Partial<Kept>): void {
    for (const entry of ENTRIES) {
      const fields = Object.entries(change).filter(([field]) => (ENTRY_OF[field] ?? "") === entry);
      if (fields.length > 0) this.#write(entry, { ...this.#read(entry), ...Object.fromEntries(fields) });
    }
  }

  /** Told when another tab kept something, or may have while this one was put aside for the back button. */
  watch(changed: () => void): () => void {
    const heard = ({ key }: Partial<StorageEvent>) => (key ?? this.#name).startsWith(this.#name) && changed();
    addEventListener("storage", heard);
    addEventListener("pageshow", heard);
    return () => {
      removeEventListener("storage", heard);
      removeEventListener("pageshow", heard);
    };
  }

  /** Another person: only what belongs to the browser stays. */
  forgetVisitor(): void {
    const { muted, recent_emoji } = this.kept;
    for (const entry of ENTRIES) this.#write(entry, entry === "" ? { muted, recent_emoji } : {});
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

  #read(entry: Entry): Kept {
    try {
      const text = this.#storage?.getItem(this.#name + entry) ?? "";
      if (text !== this.#texts[entry]) {
        this.#texts[entry] = text;
        if (text !== "") this.#memory[entry] = JSON.parse(text) as Kept;
      }
    } catch {
      // Unreadable: what the page remembers must do.
    }
    return this.#memory[entry] ?? {};
  }

  #write(entry: Entry, kept: Kept): void {
    this.#memory[entry] = kept;
    try {
      const text = JSON.stringify(kept);
      if (text !== this.#texts[entry]) this.#storage?.setItem(this.#name + entry, text);
      this.#texts[entry] = text;
    } catch {
      // Full: memory holds it.
    }
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
