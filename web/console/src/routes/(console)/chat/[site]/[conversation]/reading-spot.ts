/** Remembers what stands at the top of the box, so that it can stay there when lines above it come or go. */
export function readingSpot(box: HTMLElement): () => void {
  const edge = box.getBoundingClientRect().top;
  const row = [...box.querySelectorAll<HTMLElement>('[data-seq]')].find((each) => each.getBoundingClientRect().bottom > edge);
  const top = row?.getBoundingClientRect().top ?? 0;
  return () => {
    if (row?.isConnected) box.scrollTop += row.getBoundingClientRect().top - top;
  };
}
