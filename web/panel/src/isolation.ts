/**
 * What is done in the chat stays in it: the page's shortcuts, its focus traps and its copy protection, which listen on the
 * document, hear nothing of it. A page that listens on the way down (`capture`) comes first; no element can change that.
 */
export function keepEvents(host: HTMLElement): () => void {
  // Each that an element may have a handler for, and those that have none.
  const types = ["focusin", "focusout", "compositionstart", "compositionend"];
  for (const name in host) if (/^on./.test(name)) types.push(name.slice(2));
  let pressBeganOutside = false;
  const began = (event: Event) => (pressBeganOutside = !event.composedPath().includes(host));
  const keep = (event: Event) => {
    // Something is drawn or dragged on the page, and the pointer came over the chat: the page must see where that ends.
    if (!pressBeganOutside || !((event as MouseEvent).buttons || /(mouse|pointer)up/.test(event.type))) event.stopPropagation();
  };
  addEventListener("pointerdown", began, true);
  for (const type of types) host.addEventListener(type, keep, { passive: true });
  return () => {
    removeEventListener("pointerdown", began, true);
    for (const type of types) host.removeEventListener(type, keep);
  };
}
