/** The seq of the last message of which at least half is visible in the box; 0 if there is none. */
export function lastVisibleSeq(box: HTMLElement): number {
  const bottom = box.getBoundingClientRect().bottom;
  const rows = box.querySelectorAll<HTMLElement>('[data-seq]');
  for (let i = rows.length - 1; i >= 0; i--) {
    const row = rows[i];
    const rect = row?.getBoundingClientRect();
    if (row && rect && rect.top + rect.height / 2 <= bottom) return Number(row.dataset.seq);
  }
  return 0;
}
