import type { LauncherSite } from "@ocs/protocol/wire";
import { readable } from "./colour.ts";
import { makeFrame } from "./frame.ts";
import type { Ocs, OcsMethods, Panel, PanelHost, PanelModule } from "./host.ts";
import { wordsFor } from "./words.ts";

/** The server writes the site in here. */
declare const __OCS_SITE__: LauncherSite;

const start = (site: LauncherSite, ocs: Ocs) => {
  const page = document.documentElement;
  const nonce = ocs.nonce || (document.currentScript as HTMLScriptElement | null)?.nonce;
  const [label, failed, wayOut, unreadWord] = wordsFor(ocs.locale || page.lang || navigator.language);
  const { host, root, frame, button, badge, make } = makeFrame(label, site.n);
  const listeners: Record<string, Set<(value: unknown) => void>> = {};
  const osDark = matchMedia("(prefers-color-scheme:dark)");
  let look = site.l;
  let loading: Promise<Panel | void> | undefined;
  let panel: Panel | undefined;
  let open = false;
  let gone = false;
  let notice: HTMLElement | undefined;

  // Each on its own: a fault in the page's listener is the page's, and stops nothing here.
  const emit: PanelHost["emit"] = (event, value) => listeners[event]?.forEach((listener) => queueMicrotask(() => listener(value)));

  /** Colours, side and scheme: the page's own color-scheme decides, then the system. */
  const dress = () => {
    const declared = getComputedStyle(page).colorScheme;
    const dark = declared.includes("dark");
    const scheme = look[2] != "auto" ? look[2] : (dark == declared.includes("light") ? osDark.matches : dark) ? "dark" : "light";
    const { dataset, style } = frame;
    dataset.v = look[0];
    dataset.p = ocs.position || look[1];
    dataset.scheme = scheme;
    style.setProperty("--p", look[3]);
    style.setProperty("--q", readable(look[4], look[3]));
    style.setProperty("--h", look[5]);
    style.setProperty("--x", readable(look[6], look[5]));
  };

  /** Outside `body`: page swaps leave it alone, and a phone's chat can make the page inert. */
  const place = () => {
    // Before anybody looks: putting it there is no news.
    if (document.body && !host.isConnected) document.documentElement.append(host);
    observer.observe(document, { childList: true });
    observer.observe(document.documentElement, { childList: true, attributes: true });
    dress();
  };
  const observer = new MutationObserver(place);

  const shown = (now: boolean) => {
    button.ariaExpanded = (open = now) as unknown as string;
    skeleton();
  };
  const skeleton = (element?: HTMLElement) => {
    notice?.remove();
    notice = element;
  };
  const unread = (count: number) => {
    // The space keeps what is seen, "Chat 1", a part of what is said.
    badge.textContent = count ? ` ${count > 99 ? "99+" : count}` : "";
    button.ariaLabel = count ? `${label}, ${count} ${unreadWord}` : label;
  };

  /** The browser fetches the module and checks it; only then import() takes that very copy. Browsers without preload do not check. */
  const fetchPanel = () => new Promise((checked, refused) => {
    const link = make(root, "link");
    link.onload = checked;
    link.onerror = refused;
    link.crossOrigin = "";
    link.integrity = site.i;
    if (nonce) link.nonce = nonce;
    link.href = site.o + site.p;
    // Last: now it is fetched.
    link.rel = "modulepreload";
    link.relList.supports(link.rel) || checked(0);
  }).then(() => import(/* @vite-ignore */ site.o + site.p));
  const load = () => loading ||= fetchPanel()
    .catch(() => new Promise((later) => setTimeout(later, 1e3)).then(fetchPanel))
    .then((module: PanelModule) => module.mount({ site, ocs, root, frame, button, emit, shown, unread, restyle: (next) => { look = next; dress(); } }))
    .then((mounted) => gone ? mounted.destroy() : (panel = mounted))
    .catch((error) => {
      loading = undefined;
      if (open) {
        shown(false);
        const told = make(frame, "div", "e");
        skeleton(told);
        told.role = "alert";
        told.textContent = failed;
        const link = make(told, "a");
        link.href = `${site.o}/chat/${site.k}`;
        link.target = "_blank";
        link.textContent = wayOut;
      }
      emit("error", { code: "unavailable", message: String(error) });
    });
  const run = (act: (panel: Panel) => void) => load().then((mounted) => mounted && act(mounted));

  const methods: OcsMethods = {
    open() {
      if (open) return;
      shown(true);
      if (!panel) skeleton(make(frame, "div", "k"));
      // Closed again before it came: it stays closed.
      run((mounted) => open && mounted.open());
    },
    close() {
      if (panel) panel.close();
      else shown(false);
    },
    toggle: () => (open ? methods.close() : methods.open()),
    show() { button.hidden = false; },
    hide() { button.hidden = true; methods.close(); },
    send: (text) => run((mounted) => mounted.send(text)),
    identify(identity) {
      Object.assign(ocs, identity);
      if (loading) run((mounted) => mounted.identify());
    },
    logout: () => run((mounted) => mounted.logout()),
    destroy() {
      gone = true;
      panel?.destroy();
      observer.disconnect();
      osDark.onchange = null;
      host.remove();
      for (const name in methods) delete ocs[name as keyof Ocs];
    },
    on(event, listener) { (listeners[event] ||= new Set()).add(listener as (value: unknown) => void); },
    off(event, listener) { listeners[event]?.delete(listener as (value: unknown) => void); },
  };

  Object.assign(ocs, methods);
  shown(false);
  unread(0);
  button.hidden = !!(ocs.hideLauncher || ocs.mode);
  button.onclick = methods.toggle;
  button.onpointerenter = button.onfocus = button.ontouchstart = load;
  osDark.onchange = dress;
  place();

  // Someone with a chat, open or closed of late, may have an answer waiting; nobody else is asked for anything. Storage blocked: it
  // throws. Nothing kept does not: a throw costs most visitors more than the rest of this file.
  try {
    const kept = JSON.parse(localStorage["ocs:" + site.k] || "0");
    if (kept.until > Date.now()) {
      unread(kept.unread);
      (window.requestIdleCallback || setTimeout)(load);
    }
  } catch {}
  if (site.v || ocs.mode) methods.open();

  for (const [name, ...args] of ocs.q || []) (ocs[name] as (...args: unknown[]) => void)?.(...args);
  ocs.q = undefined;
  emit("ready");
  ocs.onReady?.(ocs);
};

{
  const ocs = (window as unknown as { OCS: Ocs }).OCS ||= {} as Ocs;
  // A second tag, or a browser without what is needed, changes nothing.
  if (!ocs.open && "adoptedStyleSheets" in document) start(__OCS_SITE__, ocs);
}
