/** "(2) Shop" while the tab is hidden. What the page itself writes meanwhile is kept. */
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
