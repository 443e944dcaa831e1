/** Remembers the row at the top of the box. Returns a function that scrolls it back there after rows above were added or removed. */
export function anchorScroll(box: HTMLElement): () => void {
  const edge = box.getBoundingClientRect().top;
  const row = [...box.querySelectorAll<HTMLElement>('[data-seq]')].find((each) => each.getBoundingClientRect().bottom > edge);
  const top = row?.getBoundingClientRect().top ?? 0;
  return () => {
    if (row?.isConnected) box.scrollTop += row.getBoundingClientRect().top - top;
  };
}
