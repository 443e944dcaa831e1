import { isPhone } from "@ocs/launcher/phone";

export { isPhone };
export const coarsePointer = () => matchMedia("(pointer: coarse)").matches;

/** Full screen on a phone: the page behind neither scrolls nor takes the focus, and stays where it was. */
export function holdPage(): () => void {
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
 * The phone's Back closes instead of leaving the page, where the browser has a way to ask for that. The page's history
 * is its own. `close` answers whether something is left to close.
 */
export function backCloses(close: () => boolean): () => void {
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

/** Keeps the panel over exactly what the on-screen keyboard leaves free. */
export function viewportFit(panel: HTMLElement): () => void {
  const view = window.visualViewport;
  if (!view) return () => {};
  const fit = () => {
    // Elsewhere no rule uses them, and to set them makes every element's style anew.
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

/** Tab goes round inside a modal panel. */
export function keepFocusInside(event: KeyboardEvent, panel: HTMLElement): void {
  if (event.key !== "Tab") return;
  const stops = [...panel.querySelectorAll<HTMLElement>("button, a[href], textarea, input, [tabindex='0']")].filter((stop) => stop.tabIndex >= 0 && stop.offsetParent !== null);
  const root = panel.getRootNode() as ShadowRoot;
  const end = event.shiftKey ? stops[0] : stops[stops.length - 1];
  if (root.activeElement !== end) return;
  event.preventDefault();
  (event.shiftKey ? stops[stops.length - 1] : stops[0])?.focus();
}
