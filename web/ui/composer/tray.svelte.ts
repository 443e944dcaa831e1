import type { ImageProblem } from "@ocs/protocol";
import type { Picked } from "./gallery.ts";

const AT_ONCE = 10;

export type TrayWords = {
  failed: string;
  failures: { [problem in ImageProblem]?: string };
  tooManyPictures: (count: number) => string;
};

/** Pictures that were chosen and not sent yet. At most ten. */
export class Tray {
  list = $state.raw<readonly Picked[]>([]);
  /** Files that are being looked at. */
  pending = $state.raw(0);
  /** What was wrong with the last choice; empty: nothing. */
  problem = $state.raw("");

  constructor(private readonly words: TrayWords) {}

  /** `pick` makes a file fit to send, or returns why it cannot be sent. */
  async add(files: readonly File[], pick: (file: File) => Promise<Picked | ImageProblem>): Promise<void> {
    const { words } = this;
    const free = AT_ONCE - this.list.length - this.pending;
    this.problem = files.length > free ? words.tooManyPictures(AT_ONCE) : "";
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

  /** Empties the tray and returns what was in it. */
  take(): readonly Picked[] {
    const taken = this.list;
    this.list = [];
    this.problem = "";
    return taken;
  }
}
