import { randomId, type OutboxItem, type OutboxStore } from "@ocs/protocol";

/** Everything that this browser stores for one site. */
export type StoredData = {
  /** The random id of an anonymous visitor. */
  ocs_external_id?: string;
  token?: string;
  /** The external id that the token belongs to. */
  owner?: string;
  anonymous?: boolean;
  /** Until when a reply may be waiting, in milliseconds since 1970. The launcher reads it before the panel is loaded. */
  until?: number;
  unread?: number;
  draft?: string;
  /** The caret position in the draft. */
  caret?: number;
  /** The last message that played a sound, so that only one tab does. */
  rang?: string;
  muted?: boolean;
  recent_emoji?: string[];
  outbox?: OutboxItem[];
};

const YEAR_S = 31_536_000;

/**
 * Separate storage entries for identity, draft and outbox. A tab writes a whole entry at a time, so frequent draft writes of
 * one tab must not undo an identity that another tab received.
 */
type Entry = "" | ":draft" | ":outbox";
const ENTRIES: Entry[] = ["", ":draft", ":outbox"];
const ENTRY_OF: { [field: string]: Entry } = { draft: ":draft", caret: ":draft", outbox: ":outbox" };

/** Stores the data in localStorage. Where it is blocked or full, the identity goes into a cookie of the site; without cookies, into memory. */
export class SiteStore {
  readonly #name: string;
  readonly #storage: Storage | null;
  readonly #memory: { [entry in Entry]?: StoredData } = {};
  /** The texts last read or written: unchanged ones are neither parsed nor written again. */
  readonly #texts: { [entry in Entry]?: string } = {};
  /** false: nothing outlives the page, which the visitor is told. */
  lasting: boolean;

  constructor(siteKey: string) {
    this.#name = `ocs:${siteKey}`;
    this.#storage = usableStorage();
    this.lasting = this.#storage !== null || navigator.cookieEnabled;
  }

  get data(): StoredData {
    return Object.assign({}, ...ENTRIES.map((entry) => this.#read(entry))) as StoredData;
  }

  save(change: Partial<StoredData>): void {
    for (const entry of ENTRIES) {
      const fields = Object.entries(change).filter(([field]) => (ENTRY_OF[field] ?? "") === entry);
      if (fields.length > 0) this.#write(entry, { ...this.#read(entry), ...Object.fromEntries(fields) });
    }
  }

  /** Calls `changed` when another tab stored something, or may have while this page was in the back/forward cache. */
  watch(changed: () => void): () => void {
    const listener = ({ key }: Partial<StorageEvent>) => (key ?? this.#name).startsWith(this.#name) && changed();
    addEventListener("storage", listener);
    addEventListener("pageshow", listener);
    return () => {
      removeEventListener("storage", listener);
      removeEventListener("pageshow", listener);
    };
  }

  /** Deletes the visitor's data; keeps what belongs to the browser. */
  forgetVisitor(): void {
    const { muted, recent_emoji } = this.data;
    for (const entry of ENTRIES) this.#write(entry, entry === "" ? { muted, recent_emoji } : {});
  }

  anonymousId(): string {
    const known = this.data.ocs_external_id;
    if (known) return known;
    const made = `v_${randomId()}`;
    this.save({ ocs_external_id: made });
    return made;
  }

  outbox(): OutboxStore {
    const items = () => this.data.outbox ?? [];
    return {
      load: items,
      put: (item) => this.save({ outbox: [...items().filter((other) => other.client_id !== item.client_id), item].sort((a, b) => a.at - b.at) }),
      drop: (id) => {
        if (items().some((item) => item.client_id === id)) this.save({ outbox: items().filter((item) => item.client_id !== id) });
      },
    };
  }

  #read(entry: Entry): StoredData {
    try {
      const text = this.#storage?.getItem(this.#name + entry) ?? "";
      if (text !== this.#texts[entry]) {
        this.#texts[entry] = text;
        if (text !== "") this.#memory[entry] = JSON.parse(text) as StoredData;
        else if (entry === "") this.#memory[""] = { ...this.#readCookie(), ...this.#memory[""] };
      }
    } catch {
      // Unreadable: use what is in memory.
    }
    return this.#memory[entry] ?? {};
  }

  #write(entry: Entry, data: StoredData): void {
    this.#memory[entry] = data;
    const text = JSON.stringify(data);
    if (text === this.#texts[entry]) return;
    let stored = false;
    try {
      this.#storage?.setItem(this.#name + entry, text);
      stored = this.#storage !== null;
    } catch {
      // Storage is full: delete the outdated entry.
      this.#storage!.removeItem(this.#name + entry);
    }
    this.#texts[entry] = stored ? text : "";
    this.lasting ||= stored;
    if (entry === "") this.#writeCookie(stored ? {} : data);
  }

  /** The identity from the site's cookie. */
  #readCookie(): StoredData {
    return JSON.parse(decodeURIComponent(`; ${document.cookie}`.split(`; ${this.#cookieName}=`)[1]?.split(";")[0] || "{}")) as StoredData;
  }

  #writeCookie({ ocs_external_id, token, owner, anonymous }: StoredData): void {
    try {
      const item = this.#readCookie();
      if (ocs_external_id || token || item.token || item.ocs_external_id) document.cookie = `${this.#cookieName}=${encodeURIComponent(JSON.stringify({ ocs_external_id, token, owner, anonymous }))}; path=/; max-age=${ocs_external_id || token ? YEAR_S : 0}; SameSite=Strict${location.protocol === "https:" ? "; Secure" : ""}`;
      if (token) this.lasting = this.#readCookie().token === token;
    } catch {
      if (token) this.lasting = false;
    }
  }

  get #cookieName(): string {
    return this.#name.replace(":", "_");
  }
}

/** localStorage, or null where it is blocked. Tests by reading, because nothing may be written before the visitor acts. */
function usableStorage(): Storage | null {
  try {
    localStorage.getItem("ocs");
    return localStorage;
  } catch {
    return null;
  }
}
