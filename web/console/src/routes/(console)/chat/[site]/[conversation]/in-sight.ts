/** The last message of which at least half is inside the box; 0 when none is. */
export function lastSeqInSight(box: HTMLElement): number {
  const edge = box.getBoundingClientRect().bottom;
  const rows = box.querySelectorAll<HTMLElement>('[data-seq]');
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i];
    const place = row?.getBoundingClientRect();
    if (row && place && place.top + place.height / 2 <= edge) return Number(row.dataset.seq);
  }
  return 0;
}
