import { imageStore, lightenImage, prepareImage, refusalFrom, type ImageProblem, type ImageStore, type OutboxItem } from "@ocs/protocol";

/** A picture as it is shown; `url` and `thumb` are object URLs until the server holds it. */
export type ShownImage = { url: string; thumb: string; width: number; height: number; animated: boolean };

/** A picture that was chosen and not sent yet. `size` in bytes. */
export type Picked = { id: string; name: string; shown: ShownImage; size: number; type: string };

/** Pictures on their way out: made fit, kept until sent, uploaded at most once. */
export class Gallery {
  readonly #store: ImageStore;
  readonly #uploaded = new Map<string, string>();
  readonly #urls = new Map<string, ShownImage>();

  /** `name` of the database in the browser. */
  constructor(name: string) {
    let factory: IDBFactory | undefined;
    try {
      factory = indexedDB;
    } catch {}
    this.#store = imageStore(factory, name);
  }

  async pick(id: string, file: File, limit: number): Promise<Picked | ImageProblem> {
    const made = await prepareImage(file, limit);
    if (typeof made === "string") return made;
    await this.#store.put(id, made.blob);
    const shown = this.#show(id, made.blob, made.width, made.height);
    return { id, name: file.name, shown, size: made.blob.size, type: made.type };
  }

  /** What a reload left in the queue. */
  async recall({ client_id: id, image }: OutboxItem): Promise<void> {
    const blob = image && (await this.#store.get(id));
    if (blob) this.#show(id, blob, image.width, image.height);
  }

  shown(id: string): ShownImage | null {
    return this.#urls.get(id) ?? null;
  }

  /** The handle to send, uploading at most once however often the send itself is tried. */
  async upload(id: string, post: (image: Blob) => Promise<string>): Promise<string> {
    const done = this.#uploaded.get(id);
    if (done !== undefined) return done;
    const blob = await this.#store.get(id);
    if (blob === null) throw refusalFrom(410, "", null);
    const image = await post(blob);
    this.#uploaded.set(id, image);
    return image;
  }

  /** For an outbox: the bytes of an item are replaced by fewer. */
  async lighten({ client_id: id, image }: OutboxItem): Promise<OutboxItem["image"]> {
    const blob = await this.#store.get(id);
    const made = blob && (await lightenImage(blob));
    if (!made) return null;
    await this.#store.put(id, made.blob);
    return { name: image!.name, type: made.type, width: made.width, height: made.height };
  }

  /** Its bytes are no longer needed. What is on the screen stays there. */
  drop(id: string): void {
    this.#uploaded.delete(id);
    void this.#store.drop(id);
  }

  /** Nothing shows it any more. */
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
