/** Shows "(2) Shop" as the title while the tab is hidden. A title that the page sets meanwhile is kept. */
export class TitleCount {
  #theirs: string | null = null;
  #ours = "";

  show(count: number): void {
    if (this.#theirs !== null && document.title !== this.#ours) this.#theirs = null;
    if (count === 0) return this.restore();
    this.#theirs ??= document.title;
    this.#ours = `(${count}) ${this.#theirs}`;
    document.title = this.#ours;
  }

  restore(): void {
    if (this.#theirs !== null && document.title === this.#ours) document.title = this.#theirs;
    this.#theirs = null;
  }
}
