import { imageStore, lightenImage, prepareImage, refusalFrom, uploadImage, type ImageProblem, type ImageStore, type OutboxItem, type WidgetDoor } from "@ocs/protocol";
import type { ShownImage } from "../talk/shown.ts";

/** A picture chosen and not yet sent. */
export type Picked = { id: string; name: string; shown: ShownImage; size: number; type: string };

/** Pictures on their way out: made fit, kept until sent, uploaded with progress. Fetched with the first picture. */
export class Gallery {
  readonly #store: ImageStore;
  readonly #uploaded = new Map<string, string>();
  readonly #urls = new Map<string, ShownImage>();

  constructor(siteKey: string, private readonly door: WidgetDoor) {
    let factory: IDBFactory | undefined;
    try {
      factory = indexedDB;
    } catch {}
    this.#store = imageStore(factory, `ocs:${siteKey}`);
  }

  async pick(id: string, file: File, limit: number): Promise<Picked | ImageProblem> {
    const made = await prepareImage(file, limit);
    if (typeof made === "string") return made;
    await this.#store.put(id, made.blob);
    const shown = this.#show(id, made.blob, made.width, made.height);
    return { id, name: file.name, shown, size: made.blob.size, type: made.type };
  }

  /** What a reload left in the queue. */
  async recall(id: string, width: number, height: number): Promise<ShownImage | null> {
    const blob = await this.#store.get(id);
    return blob && this.#show(id, blob, width, height);
  }

  shown(id: string): ShownImage | null {
    return this.#urls.get(id) ?? null;
  }

  /** The handle to send, uploading at most once however often the send itself is tried. */
  async upload(id: string, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
    const done = this.#uploaded.get(id);
    if (done !== undefined) return done;
    const blob = await this.#store.get(id);
    if (blob === null) throw refusalFrom(410, "", null);
    const image = await uploadImage(`${this.door.origin}/api/widget/images`, this.door.authorization(), blob, cancelled, progress);
    this.#uploaded.set(id, image);
    return image;
  }

  async lighten({ client_id: id, image }: OutboxItem): Promise<OutboxItem["image"]> {
    const blob = await this.#store.get(id);
    const made = blob && (await lightenImage(blob));
    if (!made) return null;
    await this.#store.put(id, made.blob);
    return { name: image!.name, type: made.type, width: made.width, height: made.height };
  }

  drop(id: string): void {
    this.#uploaded.delete(id);
    void this.#store.drop(id);
  }

  stop(): void {
    for (const { url } of this.#urls.values()) URL.revokeObjectURL(url);
    this.#urls.clear();
  }

  #show(id: string, blob: Blob, width: number, height: number): ShownImage {
    const url = URL.createObjectURL(blob);
    const shown = { url, thumb: url, width, height, animated: blob.type === "image/gif" };
    this.#urls.set(id, shown);
    return shown;
  }
}
