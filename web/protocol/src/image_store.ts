/** Stores the bytes of images that are waiting to be sent: in IndexedDB, or in memory where that is blocked. */
export type ImageStore = {
  /** Keeps the image in memory only. */
  put(id: string, image: Blob): void;
  /** Persists an image that `put` keeps in memory. */
  keep(id: string): Promise<void>;
  /** The ids of the persisted images. */
  ids(): Promise<IDBValidKey[]>;
  get(id: string): Promise<Blob | null>;
  drop(id: string): Promise<void>;
};

/** Opens the store; `name` is the name of the IndexedDB database. */
export function imageStore(factory: IDBFactory | undefined, name: string): ImageStore {
  const memory = new Map<string, Blob>();
  let opened: Promise<IDBDatabase | null> | null = null;

  const open = () =>
    (opened ??= new Promise<IDBDatabase | null>((resolve) => {
      try {
        const request = factory!.open(name, 1);
        request.onupgradeneeded = () => request.result.createObjectStore("images");
        request.onsuccess = () => resolve(request.result);
        request.onerror = request.onblocked = () => resolve(null);
      } catch {
        resolve(null);
      }
    }));

  const run = async <T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> => {
    const database = await open();
    if (database === null) return null;
    return new Promise((resolve) => {
      try {
        const transaction = database.transaction("images", mode);
        const request = work(transaction.objectStore("images"));
        transaction.oncomplete = () => resolve(request.result);
        transaction.onerror = transaction.onabort = () => resolve(null);
      } catch {
        resolve(null);
      }
    });
  };

  return {
    put: (id, image) => void memory.set(id, image),
    async keep(id) {
      await run("readwrite", (store) => store.put(memory.get(id), id));
    },
    ids: async () => (await run("readonly", (store) => store.getAllKeys())) ?? [],
    async get(id) {
      return memory.get(id) ?? (await run<Blob>("readonly", (store) => store.get(id))) ?? null;
    },
    async drop(id) {
      memory.delete(id);
      await run("readwrite", (store) => store.delete(id));
    },
  };
}
