import { randomId, uploadImage, type OutboxItem, type WidgetDoor } from "@ocs/protocol";
import type { Gallery, Picked, ShownImage } from "@ocs/ui/composer/gallery.ts";
import type { Chat } from "../chat.svelte.ts";

const LIMIT_UNTIL_TOLD_BYTES = 5_242_880;

/** The visitor's pictures. What works on them is fetched with the first one. */
export class Pictures {
  #gallery: Promise<Gallery> | null = null;
  #ready: Gallery | null = null;

  constructor(
    private readonly chat: Chat,
    private readonly door: WidgetDoor,
    private readonly changed: () => void,
  ) {}

  async add(files: readonly File[]): Promise<void> {
    const limit = this.chat.welcome?.limits.image_bytes ?? LIMIT_UNTIL_TOLD_BYTES;
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
    return this.#ready?.shown(id) ?? null;
  }

  async recall(items: readonly OutboxItem[]): Promise<void> {
    for (const item of items) if (item.image !== null) await this.#open().then((gallery) => gallery.recall(item)).catch(() => {});
    this.changed();
  }

  async upload(id: string, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
    const { door } = this;
    return (await this.#open()).upload(id, (image) => uploadImage(`${door.origin}/api/widget/images`, door.authorization(), image, cancelled, progress));
  }

  async lighten(item: OutboxItem): Promise<OutboxItem["image"]> {
    return (await this.#open()).lighten(item);
  }

  drop(id: string): void {
    this.#ready?.drop(id);
  }

  /** Stores what is in the queue now. */
  keep(id: string): void {
    this.#ready?.keep(id);
  }

  clear(): void {
    for (const { id } of this.take()) this.drop(id);
    this.#sweep();
  }

  #sweep(): void {
    void this.#ready?.sweep((id) => !!this.chat.record.kept.outbox?.some((item) => item.client_id === id));
  }

  stop(): void {
    this.#ready?.stop();
  }

  #open(): Promise<Gallery> {
    return (this.#gallery ??= import("@ocs/ui/composer/gallery.ts")
      .then(({ Gallery }) => {
        this.#ready = new Gallery(`ocs:${this.chat.host.site.k}`);
        this.#sweep();
        return this.#ready;
      })
      .catch((error: unknown) => {
        this.#gallery = null;
        throw error;
      }));
  }
}
