import type { OutboxItem } from "./outbox.ts";

/** Where the queue survives a reload. Never throws: storage that is full or blocked only shortens its life. */
export type OutboxStore = {
  load(): OutboxItem[];
  put(item: OutboxItem): void;
  drop(client_id: string): void;
};

/** For pages whose storage is blocked. */
export function memoryOutboxStore(): OutboxStore {
  return { load: () => [], put() {}, drop() {} };
}

/** All items under one name of a Storage, read anew at each change, since other tabs write there too. */
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
      // Full: the item lives as long as the page.
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
