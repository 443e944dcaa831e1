import { imageStore, prepareImage, refusalFrom, type ImageProblem, type ImageStore, type Uploaded, type WidgetDoor } from "@ocs/protocol";
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
    const image = await post(`${this.door.origin}/api/widget/images`, this.door.authorization(), blob, cancelled, progress);
    this.#uploaded.set(id, image);
    return image;
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

/** XMLHttpRequest because fetch cannot say how far an upload is. */
function post(url: string, headers: Record<string, string>, blob: Blob, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries({ ...headers, "Content-Type": blob.type })) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status < 300) resolve((JSON.parse(request.responseText) as Uploaded).image.id);
      else reject(refusalFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
    };
    request.onerror = request.ontimeout = request.onabort = () => reject(new TypeError("upload failed"));
    cancelled.addEventListener("abort", () => request.abort());
    request.send(blob);
  });
}
