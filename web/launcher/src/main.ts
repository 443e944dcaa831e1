import type { LauncherSite } from "@ocs/protocol/wire";
import { makeFrame } from "./frame.ts";
import type { Identity, Ocs, OcsMethods, Panel, PanelHost, PanelModule } from "./host.ts";
import { isPhone } from "./phone.ts";
import { wordsFor } from "./words.ts";

/** Replaced by the server with the site's data. */
declare const __OCS_SITE__: LauncherSite;

/** The key under which a script that is included again finds the running chat; a symbol can't clash with the page's names. */
const RUNNING = Symbol.for("OCS");
type Page = { OCS: Ocs; [RUNNING]?: (next: Ocs) => void };
const here = window as unknown as Page;

/** Creates the chat. Returns a function that applies the options of each further inclusion. */
const start = (site: LauncherSite, ocs: Ocs) => {
  const page = document.documentElement;
  const nonce = ocs.nonce || (document.currentScript as HTMLScriptElement | null)?.nonce;
  const [language, label, failed, wayOut] = wordsFor(`${ocs.locale || page.lang || navigator.language}`);
  const { host, root, frame, button, make } = makeFrame(label, language, site.n);
  const listeners: Record<string, Set<(value: unknown) => void>> = {};
  const osDark = matchMedia("(prefers-color-scheme:dark)");
  let look = site.l;
  let loading: Promise<Panel | void> | undefined;
  let panel: Panel | undefined;
  let open = false;
  let gone = false;
  let notice: HTMLElement | undefined;

  // In separate microtasks: an exception in one of the page's listeners does not affect the chat.
  const emit: PanelHost["emit"] = (event, value) => listeners[event]?.forEach((listener) => queueMicrotask(() => listener(value)));

  /** Applies colours, position and scheme: the page's own color-scheme decides, then the system's. */
  const dress = () => {
    const declared = getComputedStyle(page).colorScheme;
    const dark = declared.includes("dark");
    const scheme = look[2] != "auto" ? look[2] : (dark == declared.includes("light") ? osDark.matches : dark) ? "dark" : "light";
    const { dataset } = frame;
    dataset.v = look[0];
    dataset.p = ocs.position || look[1];
    dataset.scheme = scheme;
    ["p", "q", "h", "x"].forEach((name, at) => set(name, look[3 + at]));
    const { x, y } = ocs.offset || {};
    set("dx", x! >= 0 && x + "px");
    set("dy", y! >= 0 && y + "px");
  };
  const set = (name: string, value: string | false | undefined) => frame.style.setProperty("--ocs-" + name, value || "");

  /** Attaches the host outside `body`: it survives page swaps, and the chat on a phone can make the page inert. */
  const place = () => {
    // Before observing, so that attaching it is not reported as a mutation.
    if (document.body && !host.isConnected) {
      document.documentElement.append(host);
      host.style.setProperty("--ocs-z", `${ocs.zIndex || 2 ** 31 - 1}`);
      // In the top layer, above the page's transforms and stacking contexts; unless the site sets a z-index.
      if (!ocs.zIndex && frame.showPopover) {
        frame.popover = "manual";
        frame.showPopover();
      }
    }
    observer.observe(document, { childList: true });
    observer.observe(document.documentElement, { childList: true, attributes: true });
    dress();
  };
  const observer = new MutationObserver(place);

  const shown = (now: boolean) => {
    button.setAttribute("aria-expanded", `${(open = now)}`);
    skeleton();
  };
  const skeleton = (element?: HTMLElement) => {
    notice?.remove();
    notice = element;
  };

  const url = site.o + site.p;
  /** Lets the browser fetch the module and verify its hash; import() then uses the same copy. */
  const fetchPanel = () => new Promise((checked, refused) => {
    const link = make(root, "link");
    // WebKit does not verify preloads: fetch verifies the hash, and import() takes the file from the cache.
    if (/^Apple/.test(navigator.vendor) || !link.relList.supports("modulepreload")) return fetch(url, { integrity: site.i }).then(checked, refused);
    link.onload = checked;
    link.onerror = refused;
    link.crossOrigin = "";
    link.integrity = site.i;
    if (nonce) link.nonce = nonce;
    link.href = url;
    // Set last: this starts the fetch.
    link.rel = "modulepreload";
  }).then(() => import(/* @vite-ignore */ url));
  const load = () => loading ||= fetchPanel()
    .catch(() => new Promise((later) => setTimeout(later, 1e3)).then(fetchPanel))
    .then((module: PanelModule) => module.mount({ site, ocs, root, frame, button, emit, shown, restyle: (next) => { look = next; dress(); } }))
    .then((mounted) => gone ? mounted.destroy() : (panel = mounted))
    .catch((error) => {
      loading = undefined;
      if (open) {
        shown(false);
        const told = make(frame, "div", "e");
        skeleton(told);
        told.setAttribute("role", "alert");
        told.textContent = failed;
        const link = make(told, "a");
        link.href = `${site.o}/chat/${site.k}`;
        link.target = "_blank";
        link.textContent = wayOut;
      }
      emit("error", { code: "unavailable", message: String(error) });
    });
  const run = (act: (panel: Panel) => void) => load().then((mounted) => mounted && act(mounted));

  /** Opens the chat; `asLeft` restores the open chat of the previous page without taking the focus. */
  const show = (asLeft?: boolean) => {
    if (open) return;
    shown(true);
    if (!panel) skeleton(make(frame, "div", "k"));
    // If it was closed again while loading, it stays closed.
    run((mounted) => mounted[open ? "open" : "close"](asLeft));
  };

  const identify = (identity: Identity, again?: boolean) => {
    Object.assign(ocs, identity);
    if (loading) run((mounted) => mounted.identify(again));
  };

  const methods: OcsMethods = {
    open: () => show(),
    close() {
      if (panel) panel.close();
      else shown(false);
    },
    toggle: () => (open ? methods.close() : methods.open()),
    show() { button.hidden = false; },
    hide() { button.hidden = true; methods.close(); },
    send: (text) => run((mounted) => mounted.send(text)),
    identify: (identity) => identify(identity),
    logout: () => run((mounted) => mounted.logout()),
    destroy() {
      gone = true;
      panel?.destroy();
      observer.disconnect();
      osDark.onchange = null;
      host.remove();
      delete here[RUNNING];
      for (const name in methods) delete ocs[name as keyof Ocs];
    },
    on(event, listener) { (listeners[event] ||= new Set()).add(listener as (value: unknown) => void); },
    off(event, listener) { listeners[event]?.delete(listener as (value: unknown) => void); },
  };

  shown(false);
  button.hidden = !!(ocs.hideLauncher || ocs.mode);
  button.onclick = methods.toggle;
  button.onpointerenter = button.onfocus = button.ontouchstart = load;
  osDark.onchange = dress;
  place();

  // Loads the panel only for a visitor with an open or recently closed conversation, who may have a reply waiting. Blocked storage
  // throws. Missing data must not throw: an exception would cost most visitors more than the rest of this file.
  try {
    const name = "ocs:" + site.k;
    const kept = JSON.parse(localStorage[name] || "0");
    if (kept.until > Date.now()) (window.requestIdleCallback || setTimeout)(load);
    if (sessionStorage[name] && !isPhone()) show(true);
  } catch {}
  if (site.v || ocs.mode) show();

  return (next: Ocs) => {
    // A page that includes the script again may have created another object: the first one stays, and the new one works too.
    here.OCS = ocs;
    identify(next, true);
    Object.assign(next, methods);
    for (const [name, ...args] of next.q || []) (ocs[name] as (...args: unknown[]) => void)?.(...args);
    ocs.q = undefined;
    emit("ready");
    next.onReady?.(ocs);
  };
};

{
  const ocs = here.OCS ||= {} as Ocs;
  // The newest features that the chat needs: Chrome 111, Firefox 113, Safari 16.4.
  if ("adoptedStyleSheets" in document && CSS.supports("color:color-mix(in srgb,red,red)")) (here[RUNNING] ||= start(__OCS_SITE__, ocs))(ocs);
  else console.info("OCS chat: this browser is too old for it.");
}
