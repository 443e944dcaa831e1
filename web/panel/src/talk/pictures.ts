import { randomId, uploadImage, type OutboxItem, type WidgetApi } from "@ocs/protocol";
import type { ImageUploads, Picked, ShownImage } from "@ocs/ui/composer/image_uploads.ts";
import type { Chat } from "../chat.svelte.ts";

const DEFAULT_LIMIT_BYTES = 5_242_880;

/** The visitor's pictures. What works on them is fetched with the first one. */
export class Pictures {
  #loading: Promise<ImageUploads> | null = null;
  #uploads: ImageUploads | null = null;

  constructor(
    private readonly chat: Chat,
    private readonly api: WidgetApi,
    private readonly changed: () => void,
  ) {}

  async add(files: readonly File[]): Promise<void> {
    const limit = this.chat.welcome?.limits.image_bytes ?? DEFAULT_LIMIT_BYTES;
    await this.chat.tray.add(files, async (file) => (await this.#open()).pick(randomId(), file, limit));
  }

  remove(id: string): void {
    this.chat.tray.remove(id);
    this.drop(id);
  }

  /** Hands over what is to be sent. */
  take(): readonly Picked[] {
    return this.chat.tray.take();
  }

  shown(id: string): ShownImage | null {
    return this.#uploads?.shown(id) ?? null;
  }

  async recall(items: readonly OutboxItem[]): Promise<void> {
    for (const item of items) if (item.image !== null) await this.#open().then((uploads) => uploads.recall(item)).catch(() => {});
    this.changed();
  }

  async upload(id: string, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
    const { api } = this;
    return (await this.#open()).upload(id, (image) => uploadImage(`${api.origin}/api/widget/images`, api.authorization(), image, cancelled, progress));
  }

  async shrinkImage(item: OutboxItem): Promise<OutboxItem["image"]> {
    return (await this.#open()).shrinkImage(item);
  }

  drop(id: string): void {
    this.#uploads?.drop(id);
  }

  /** Persists the images of the queued items. */
  keep(id: string): void {
    this.#uploads?.keep(id);
  }

  clear(): void {
    for (const { id } of this.take()) this.drop(id);
    this.#sweep();
  }

  #sweep(): void {
    void this.#uploads?.sweep((id) => !!this.chat.store.data.outbox?.some((item) => item.client_id === id));
  }

  stop(): void {
    this.#uploads?.stop();
  }

  #open(): Promise<ImageUploads> {
    return (this.#loading ??= import("@ocs/ui/composer/image_uploads.ts")
      .then(({ ImageUploads }) => {
        this.#uploads = new ImageUploads(`ocs:${this.chat.host.site.k}`);
        this.#sweep();
        return this.#uploads;
      })
      .catch((error: unknown) => {
        this.#loading = null;
        throw error;
      }));
  }
}
