import { randomId, type OutboxItem, type WidgetDoor } from "@ocs/protocol";
import type { ShownImage } from "../shown.ts";
import type { Words } from "../words/words.ts";
import type { Gallery, Picked } from "./gallery.ts";

const AT_ONCE = 10;

/** The tray of chosen pictures. What works on pictures is fetched with the first one. */
export class Pictures {
  picked = $state.raw<readonly Picked[]>([]);
  problem = $state.raw("");
  busy = $state.raw(0);
  #gallery: Promise<Gallery> | null = null;
  #ready: Gallery | null = null;

  constructor(
    private readonly siteKey: string,
    private readonly door: WidgetDoor,
    private readonly words: Words,
    private readonly changed: () => void,
  ) {}

  async add(files: readonly File[], limit: number): Promise<void> {
    this.problem = "";
    const free = AT_ONCE - this.picked.length;
    if (files.length > free) this.problem = this.words.tooManyPictures(AT_ONCE);
    for (const file of files.slice(0, free)) {
      this.busy += 1;
      try {
        const gallery = await this.#open();
        const picked = await gallery.pick(randomId(), file, limit);
        if (typeof picked === "string") this.problem = this.words.failures[picked] ?? "";
        else this.picked = [...this.picked, picked];
      } catch {
        this.problem = this.words.failed;
      }
      this.busy -= 1;
    }
  }

  remove(id: string): void {
    this.picked = this.picked.filter((picked) => picked.id !== id);
    this.problem = "";
    this.drop(id);
  }

  /** Hands over what is to be sent. */
  take(): readonly Picked[] {
    const taken = this.picked;
    this.picked = [];
    this.problem = "";
    return taken;
  }

  shown(id: string): ShownImage | null {
    return this.#ready?.shown(id) ?? null;
  }

  async recall(items: readonly OutboxItem[]): Promise<void> {
    for (const { client_id, image } of items) {
      if (image !== null) await (await this.#open()).recall(client_id, image.width, image.height).catch(() => {});
    }
    this.changed();
  }

  async upload(id: string, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
    return (await this.#open()).upload(id, cancelled, progress);
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
    return (this.#gallery ??= import("./gallery.ts")
      .then(({ Gallery }) => (this.#ready = new Gallery(this.siteKey, this.door)))
      .catch((error: unknown) => {
        this.#gallery = null;
        throw error;
      }));
  }
}
