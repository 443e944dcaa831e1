import { randomId, type OutboxItem, type WidgetDoor } from "@ocs/protocol";
import type { Chat } from "../chat.svelte.ts";
import type { Gallery, Picked } from "../images/gallery.ts";
import type { ShownImage } from "./shown.ts";

const AT_ONCE = 10;
const LIMIT_UNTIL_TOLD_BYTES = 5_242_880;

/** The tray of chosen pictures. What works on pictures is fetched with the first one. */
export class Pictures {
  #gallery: Promise<Gallery> | null = null;
  #ready: Gallery | null = null;

  constructor(
    private readonly chat: Chat,
    private readonly door: WidgetDoor,
    private readonly changed: () => void,
  ) {}

  async add(files: readonly File[]): Promise<void> {
    const { chat } = this;
    const { words } = chat.language;
    const limit = chat.welcome?.limits.image_bytes ?? LIMIT_UNTIL_TOLD_BYTES;
    const free = AT_ONCE - chat.picked.length;
    chat.pictureProblem = files.length > free ? words.tooManyPictures(AT_ONCE) : "";
    for (const file of files.slice(0, free)) {
      chat.picking += 1;
      try {
        const picked = await (await this.#open()).pick(randomId(), file, limit);
        if (typeof picked === "string") chat.pictureProblem = words.failures[picked] ?? "";
        else chat.picked = [...chat.picked, picked];
      } catch {
        chat.pictureProblem = words.failed;
      }
      chat.picking -= 1;
    }
  }

  remove(id: string): void {
    this.chat.picked = this.chat.picked.filter((picked) => picked.id !== id);
    this.chat.pictureProblem = "";
    this.drop(id);
  }

  /** Hands over what is to be sent. */
  take(): readonly Picked[] {
    const taken = this.chat.picked;
    this.chat.picked = [];
    this.chat.pictureProblem = "";
    return taken;
  }

  shown(id: string): ShownImage | null {
    return this.#ready?.shown(id) ?? null;
  }

  async recall(items: readonly OutboxItem[]): Promise<void> {
    for (const { client_id, image } of items) {
      if (image !== null) await this.#open().then((gallery) => gallery.recall(client_id, image.width, image.height)).catch(() => {});
    }
    this.changed();
  }

  async upload(id: string, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
    return (await this.#open()).upload(id, cancelled, progress);
  }

  async lighten(item: OutboxItem): Promise<OutboxItem["image"]> {
    return (await this.#open()).lighten(item);
  }

  drop(id: string): void {
    this.#ready?.drop(id);
  }

  clear(): void {
    for (const { id } of this.take()) this.drop(id);
  }

  stop(): void {
    this.#ready?.stop();
  }

  #open(): Promise<Gallery> {
    return (this.#gallery ??= import("../images/gallery.ts")
      .then(({ Gallery }) => (this.#ready = new Gallery(this.chat.host.site.k, this.door)))
      .catch((error: unknown) => {
        this.#gallery = null;
        throw error;
      }));
  }
}
