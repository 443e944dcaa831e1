import { isPhone } from "@ocs/launcher/phone";

export { isPhone };
export const coarsePointer = () => matchMedia("(pointer: coarse)").matches;

/** For the full-screen chat on a phone: keeps the page behind from scrolling and taking the focus. Returns a function that undoes it. */
export function lockPage(): () => void {
  const { body, documentElement: page } = document;
  const { overflow } = page.style;
  const wasInert = body.inert;
  const { scrollX, scrollY } = window;
  body.inert = true;
  page.style.overflow = "hidden";
  return () => {
    body.inert = wasInert;
    page.style.overflow = overflow;
    window.scrollTo(scrollX, scrollY);
  };
}

type CloseWatcher = { onclose: (() => void) | null; destroy(): void };

/**
 * Makes the phone's Back close the chat instead of leaving the page, where the browser has CloseWatcher; the page's history
 * stays untouched. `close` returns true if something is left to close.
 */
export function closeOnBack(close: () => boolean): () => void {
  const { CloseWatcher } = window as { CloseWatcher?: new () => CloseWatcher };
  if (CloseWatcher === undefined) return () => {};
  let watcher: CloseWatcher;
  const watch = () => {
    watcher = new CloseWatcher();
    watcher.onclose = () => close() && watch();
  };
  watch();
  return () => watcher.destroy();
}

/** Keeps the panel within the area that the on-screen keyboard leaves free. */
export function fitToViewport(panel: HTMLElement): () => void {
  const view = window.visualViewport;
  if (!view) return () => {};
  const fit = () => {
    // On other devices no rule uses these properties, and setting them would restyle every element.
    if (!isPhone()) return;
    panel.style.setProperty("--ocs-view-height", `${view.height}px`);
    panel.style.setProperty("--ocs-view-top", `${view.offsetTop}px`);
  };
  fit();
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  return () => {
    view.removeEventListener("resize", fit);
    view.removeEventListener("scroll", fit);
  };
}

/** Traps Tab inside a modal panel. */
export function keepFocusInside(event: KeyboardEvent, panel: HTMLElement): void {
  if (event.key !== "Tab") return;
  const stops = [...panel.querySelectorAll<HTMLElement>("button, a[href], textarea, input, [tabindex='0']")].filter((stop) => stop.tabIndex >= 0 && stop.offsetParent !== null);
  const root = panel.getRootNode() as ShadowRoot;
  const end = event.shiftKey ? stops[0] : stops[stops.length - 1];
  if (root.activeElement !== end) return;
  event.preventDefault();
  (event.shiftKey ? stops[stops.length - 1] : stops[0])?.focus();
}
