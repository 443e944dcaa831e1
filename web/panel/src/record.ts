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

const YEAR_S = 31_536_000;

/**
 * Who this is, what is being written, what waits to be sent: an entry each. A tab writes an entry as a whole, so what
 * one writes all the time must not undo what another was given.
 */
type Entry = "" | ":draft" | ":outbox";
const ENTRIES: Entry[] = ["", ":draft", ":outbox"];
const ENTRY_OF: { [field: string]: Entry } = { draft: ":draft", caret: ":draft", outbox: ":outbox" };

/** Entries of localStorage; who this is, in a cookie of the site where that is blocked or full; memory where both are. */
export class Record {
  readonly #name: string;
  readonly #storage: Storage | null;
  readonly #memory: { [entry in Entry]?: Kept } = {};
  /** As last read or written: what is still the same text is neither parsed nor written again. */
  readonly #texts: { [entry in Entry]?: string } = {};
  /** false: nothing outlives the page, and the visitor is told. */
  lasting: boolean;

  constructor(siteKey: string) {
    this.#name = `ocs:${siteKey}`;
    this.#storage = usableStorage();
    this.lasting = this.#storage !== null || navigator.cookieEnabled;
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
  }

  anonymousId(): string {
    const known = this.kept.ocs_external_id;
    if (known) return known;
    const made = `v_${randomId()}`;
    this.keep({ ocs_external_id: made });
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
        else if (entry === "") this.#memory[""] = { ...this.#cookie(), ...this.#memory[""] };
      }
    } catch {
      // Unreadable: what the page remembers must do.
    }
    return this.#memory[entry] ?? {};
  }

  #write(entry: Entry, kept: Kept): void {
    this.#memory[entry] = kept;
    const text = JSON.stringify(kept);
    if (text === this.#texts[entry]) return;
    let stored = false;
    try {
      this.#storage?.setItem(this.#name + entry, text);
      stored = this.#storage !== null;
    } catch {
      // Full. What was kept before is no longer true.
      this.#storage!.removeItem(this.#name + entry);
    }
    this.#texts[entry] = stored ? text : "";
    this.lasting ||= stored;
    if (entry === "") this.#bake(stored ? {} : kept);
  }

  /** Who this is, as far as the site's cookie holds it. */
  #cookie(): Kept {
    return JSON.parse(decodeURIComponent(`; ${document.cookie}`.split(`; ${this.#cookieName}=`)[1]?.split(";")[0] || "{}")) as Kept;
  }

  #bake({ ocs_external_id, token, owner, anonymous }: Kept): void {
    try {
      const held = this.#cookie();
      if (ocs_external_id || token || held.token || held.ocs_external_id) document.cookie = `${this.#cookieName}=${encodeURIComponent(JSON.stringify({ ocs_external_id, token, owner, anonymous }))}; path=/; max-age=${ocs_external_id || token ? YEAR_S : 0}; SameSite=Strict${location.protocol === "https:" ? "; Secure" : ""}`;
      if (token) this.lasting = this.#cookie().token === token;
    } catch {
      if (token) this.lasting = false;
    }
  }

  get #cookieName(): string {
    return this.#name.replace(":", "_");
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
