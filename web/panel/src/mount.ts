import type { Ocs, Panel, PanelHost } from "@ocs/launcher/host";
import { flushSync, mount as mountComponent, unmount } from "svelte";
import { Chat } from "./chat.svelte.ts";
import App from "./components/App.svelte";
import { css } from "./styles/css.ts";
import { adopt } from "@ocs/ui/adopt.ts";
import { claimedId, details, isText } from "./identity.ts";
import { isolateEvents } from "./event_isolation.ts";
import { chooseLanguage } from "./words/choose.ts";

/** The panel's entry point, called by the launcher. `destroy` undoes everything. */
export async function mount(host: PanelHost): Promise<Panel> {
  const language = await chooseLanguage(host.ocs);
  const chat = new Chat(host, language);
  const endPreview = host.site.v ? await chat.preview() : () => {};
  const removeStyles = adopt(host.root, css);
  const app = mountComponent(App, { target: host.frame, props: { chat } });
  // Components add listeners in effects, which must run before the first call.
  flushSync();
  const releaseEvents = isolateEvents(host.root.host as HTMLElement);
  let claimed = claims(host.ocs);
  const unwatch = watchExternalId(host.ocs, () => chat.with((talk) => talk.session.identified()));
  if (chat.store.data.token || chat.store.data.outbox?.length) chat.start();

  return {
    open: (asLeft) => chat.show(asLeft),
    close: () => chat.hide(),
    send: (text) => (isText(text) ? chat.send(String(text)) : console.warn("[OCS] send: no text")),
    identify(again) {
      const before = claimed;
      claimed = claims(host.ocs);
      if (!again || claimed !== before) chat.with((talk) => talk.session.identified());
    },
    logout() {
      claimed = "";
      chat.with((talk) => void talk.session.logout().then(() => chat.open && chat.start()));
    },
    destroy() {
      unwatch();
      releaseEvents();
      chat.hide();
      chat.destroy();
      void unmount(app);
      removeStyles();
      endPreview();
    },
  };
}

/** The site's information about its visitor, for comparison: pages that include the script again mostly repeat it. */
const claims = (ocs: Ocs): string => JSON.stringify([claimedId(ocs), details(ocs, "", undefined, [])]);

/** Watches `OCS.externalId = …`, which means that the page now has another visitor. */
function watchExternalId(ocs: Ocs, changed: () => void): () => void {
  let value = ocs.externalId;
  Object.defineProperty(ocs, "externalId", {
    configurable: true,
    enumerable: true,
    get: () => value,
    set(next: string | undefined) {
      if (next === value) return;
      value = next;
      // Fields that are set right afterwards belong to the same person.
      changed();
    },
  });
  return () => {
    Object.defineProperty(ocs, "externalId", { configurable: true, enumerable: true, writable: true, value });
  };
}
