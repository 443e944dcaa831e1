import { imageStore, shrinkImageBytes, prepareImage, apiErrorFrom, type ImageProblem, type ImageStore, type OutboxItem } from "@ocs/protocol";

/** An image as displayed; `url` and `thumb` are object URLs until the server has stored it. */
export type ShownImage = { url: string; thumb: string; width: number; height: number; animated: boolean };

/** An image that was picked and not sent yet. `size` in bytes. */
export type Picked = { id: string; name: string; shown: ShownImage; size: number; type: string };

/** Outgoing images: prepared for sending, stored until sent, uploaded at most once. */
export class ImageUploads {
  readonly #store: ImageStore;
  readonly #uploaded = new Map<string, string>();
  readonly #urls = new Map<string, ShownImage>();

  /** `name`: of the IndexedDB database. */
  constructor(name: string) {
    let factory: IDBFactory | undefined;
    try {
      factory = indexedDB;
    } catch {}
    this.#store = imageStore(factory, name);
  }

  /** Prepares a picked file and holds it in memory under `id`; `limit` in bytes. Returns the reason when it can't be sent. */
  async pick(id: string, file: File, limit: number): Promise<Picked | ImageProblem> {
    const made = await prepareImage(file, limit);
    if (typeof made === "string") return made;
    this.#store.put(id, made.blob);
    const shown = this.#show(id, made.blob, made.width, made.height);
    return { id, name: file.name, shown, size: made.blob.size, type: made.type };
  }

  /** Stores the image of an item that is in the queue now, so that it outlives the page. */
  keep(id: string): void {
    void this.#store.keep(id);
  }

  /** Deletes the stored images of items that are not in the queue (any more). */
  async sweep(waits: (id: IDBValidKey) => boolean): Promise<void> {
    for (const id of await this.#store.ids()) if (!waits(id)) this.drop(id as string);
  }

  /** Makes the image of a queued item displayable again after a reload. */
  async recall({ client_id: id, image }: OutboxItem): Promise<void> {
    const blob = image && (await this.#store.get(id));
    if (blob) this.#show(id, blob, image.width, image.height);
  }

  shown(id: string): ShownImage | null {
    return this.#urls.get(id) ?? null;
  }

  /** Returns the image id to send. Uploads at most once, however often the message itself is retried. */
  async upload(id: string, post: (image: Blob) => Promise<string>): Promise<string> {
    const done = this.#uploaded.get(id);
    if (done !== undefined) return done;
    const blob = await this.#store.get(id);
    if (blob === null) throw apiErrorFrom(410, "", null);
    const image = await post(blob);
    this.#uploaded.set(id, image);
    return image;
  }

  /** For an outbox: replaces an item's image with a smaller one; null when it can't be smaller. */
  async shrinkImage({ client_id: id, image }: OutboxItem): Promise<OutboxItem["image"]> {
    const blob = await this.#store.get(id);
    const made = blob && (await shrinkImageBytes(blob));
    if (!made) return null;
    this.#store.put(id, made.blob);
    await this.#store.keep(id);
    return { name: image!.name, type: made.type, width: made.width, height: made.height };
  }

  /** Deletes the stored bytes. A displayed image stays on the screen. */
  drop(id: string): void {
    this.#uploaded.delete(id);
    void this.#store.drop(id);
  }

  /** Revokes the object URL: nothing displays the image any more. */
  hide(id: string): void {
    const shown = this.#urls.get(id);
    if (shown) URL.revokeObjectURL(shown.url);
    this.#urls.delete(id);
  }

  stop(): void {
    for (const id of this.#urls.keys()) this.hide(id);
  }

  #show(id: string, blob: Blob, width: number, height: number): ShownImage {
    const url = URL.createObjectURL(blob);
    const shown = { url, thumb: url, width, height, animated: blob.type === "image/gif" };
    this.#urls.set(id, shown);
    return shown;
  }
}
