import type { OutboxItem } from "./outbox.ts";

/** Persists the queue across reloads. Never throws: where storage is full or blocked, items live as long as the page. */
export type OutboxStore = {
  load(): OutboxItem[];
  put(item: OutboxItem): void;
  drop(client_id: string): void;
};

/** Stores nothing, for pages whose storage is blocked. */
export function memoryOutboxStore(): OutboxStore {
  return { load: () => [], put() {}, drop() {} };
}

/** Keeps all items under one key of a Storage. Reads it again before each change, because other tabs write there too. */
export function storageOutboxStore(storage: Storage, name: string): OutboxStore {
  const load = (): OutboxItem[] => {
    try {
      const held: unknown = JSON.parse(storage.getItem(name) ?? "[]");
      return Array.isArray(held) ? held : [];
    } catch {
      return [];
    }
  };
  const keep = (items: OutboxItem[]) => {
    try {
      if (items.length === 0) storage.removeItem(name);
      else storage.setItem(name, JSON.stringify(items));
    } catch {
      // Storage is full: the item lives as long as the page.
    }
  };
  return {
    load,
    put: (item) => {
      const items = load();
      const at = items.findIndex((held) => held.client_id === item.client_id);
      if (at < 0) items.push(item);
      else items[at] = item;
      keep(items);
    },
    drop: (id) => {
      const items = load();
      const left = items.filter((held) => held.client_id !== id);
      if (left.length < items.length) keep(left);
    },
  };
}
