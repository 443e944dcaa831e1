import type { ImageProblem } from "@ocs/protocol";
import type { Picked } from "./image_uploads.ts";

const MAX_IMAGES = 10;

export type TrayWords = {
  failed: string;
  failures: { [problem in ImageProblem]?: string };
  tooManyPictures: (count: number) => string;
};

/** The images that were picked and not sent yet, at most ten. */
export class Tray {
  list = $state.raw<readonly Picked[]>([]);
  /** How many files are being prepared. */
  pending = $state.raw(0);
  /** Why the last pick failed; empty if it did not. */
  problem = $state.raw("");

  constructor(private readonly words: TrayWords) {}

  /** Adds files. `pick` prepares a file for sending, or returns the reason why it can't be sent. */
  async add(files: readonly File[], pick: (file: File) => Promise<Picked | ImageProblem>): Promise<void> {
    const { words } = this;
    const free = MAX_IMAGES - this.list.length - this.pending;
    this.problem = files.length > free ? words.tooManyPictures(MAX_IMAGES) : "";
    const taken = files.slice(0, Math.max(0, free));
    this.pending += taken.length;
    for (const file of taken) {
      try {
        const picked = await pick(file);
        if (typeof picked === "string") this.problem = words.failures[picked] ?? "";
        else this.list = [...this.list, picked];
      } catch {
        this.problem = words.failed;
      }
      this.pending -= 1;
    }
  }

  remove(id: string): void {
    this.list = this.list.filter((picked) => picked.id !== id);
    this.problem = "";
  }

  /** Empties the tray and returns its images. */
  take(): readonly Picked[] {
    const taken = this.list;
    this.list = [];
    this.problem = "";
    return taken;
  }
}
