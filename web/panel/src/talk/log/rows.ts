import type { Row } from "@ocs/protocol";
import type { DisplayedMessage } from "../displayed_message.ts";
import { MessageRow, type RowParts } from "./message_row.ts";

/** Renders the rows in order. Rows that are the same objects as before are skipped. */
export class Rows {
  #shown: readonly Row<DisplayedMessage>[] = [];
  readonly #drawn = new Map<string, MessageRow>();
  /** The row that Tab reaches: the last focused one, or the newest. */
  #stop: MessageRow | undefined;
  #focused: string | undefined;

  constructor(private readonly list: HTMLElement, private readonly parts: RowParts) {
    list.addEventListener("focusin", ({ target }) => {
      this.#focused = (target as Element).closest<HTMLElement>("[data-key]")?.dataset.key;
      this.#moveStop();
    });
  }

  draw(rows: readonly Row<DisplayedMessage>[]): void {
    const before = this.#shown;
    this.#shown = rows;
    let same = 0;
    while (same < rows.length && rows[same] === before[same]) same += 1;
    const changed = rows.slice(same);
    const kept = new Set(changed.map(({ key }) => key));
    for (const { key } of before.slice(same)) if (!kept.has(key)) this.#remove(key);
    const drawn = changed.map((row) => this.#drawRow(row));
    const above = rows[same - 1];
    let place = above === undefined ? this.list.firstChild : this.#drawn.get(above.key)!.element.nextSibling;
    for (const node of drawn.flatMap((row) => row.nodes)) {
      if (node === place) place = place.nextSibling;
      else this.list.insertBefore(node, place);
    }
    this.#moveStop();
  }

  #drawRow(row: Row<DisplayedMessage>): MessageRow {
    const drawn = this.#drawn.get(row.key) ?? new MessageRow(this.parts);
    this.#drawn.set(row.key, drawn);
    drawn.draw(row);
    return drawn;
  }

  #remove(key: string): void {
    this.#drawn.get(key)?.remove();
    this.#drawn.delete(key);
  }

  #moveStop(): void {
    const stop = this.#drawn.get(this.#focused ?? "") ?? this.#drawn.get(this.#shown[this.#shown.length - 1]?.key ?? "");
    if (stop === this.#stop) return;
    this.#stop?.stop(false);
    stop?.stop(true);
    this.#stop = stop;
  }
}
