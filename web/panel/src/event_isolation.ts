/**
 * Stops the chat's events from bubbling to the page, so that its shortcuts, focus traps and copy protection, which listen on
 * the document, do not interfere. Capture listeners of the page run earlier; no element can prevent that.
 */
export function isolateEvents(host: HTMLElement): () => void {
  // All event types with an `on…` property, and those without one.
  const types = ["focusin", "focusout", "compositionstart", "compositionend"];
  for (const name in host) if (/^on./.test(name)) types.push(name.slice(2));
  let pressBeganOutside = false;
  const began = (event: Event) => (pressBeganOutside = !event.composedPath().includes(host));
  const stop = (event: Event) => {
    // A drag that began on the page and moved over the chat: the page must see how it ends.
    if (!pressBeganOutside || !((event as MouseEvent).buttons || /(mouse|pointer)up/.test(event.type))) event.stopPropagation();
  };
  addEventListener("pointerdown", began, true);
  for (const type of types) host.addEventListener(type, stop, { passive: true });
  return () => {
    removeEventListener("pointerdown", began, true);
    for (const type of types) host.removeEventListener(type, stop);
  };
}
