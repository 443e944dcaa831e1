import type { Ocs, Panel, PanelHost } from "@ocs/launcher/host";
import { flushSync, mount as mountComponent, unmount } from "svelte";
import { Chat } from "./chat.svelte.ts";
import App from "./components/App.svelte";
import { css } from "./styles/css.ts";
import { adopt } from "@ocs/ui/adopt.ts";
import { claimedId, details, isText } from "./identity.ts";
import { keepEvents } from "./isolation.ts";
import { chooseLanguage } from "./words/choose.ts";

/** The launcher's way in: everything the panel does begins here, and `destroy` ends all of it. */
export async function mount(host: PanelHost): Promise<Panel> {
  const language = await chooseLanguage(host.ocs);
  const chat = new Chat(host, language);
  const endPreview = host.site.v ? await chat.preview() : () => {};
  const undress = adopt(host.root, css);
  const app = mountComponent(App, { target: host.frame, props: { chat } });
  // Components set listeners in effects: they must stand before the first call.
  flushSync();
  const releaseEvents = keepEvents(host.root.host as HTMLElement);
  let claimed = claims(host.ocs);
  const unwatch = watchExternalId(host.ocs, () => chat.with((talk) => talk.visit.identified()));
  if (chat.record.kept.token || chat.record.kept.outbox?.length) chat.arrive();

  return {
    open: (asLeft) => chat.show(asLeft),
    close: () => chat.hide(),
    send: (text) => (isText(text) ? chat.send(String(text)) : console.warn("[OCS] send: no text")),
    identify(again) {
      const before = claimed;
      claimed = claims(host.ocs);
      if (!again || claimed !== before) chat.with((talk) => talk.visit.identified());
    },
    logout() {
      claimed = "";
      chat.with((talk) => void talk.visit.logout().then(() => chat.open && chat.arrive()));
    },
    destroy() {
      unwatch();
      releaseEvents();
      chat.hide();
      chat.destroy();
      void unmount(app);
      undress();
      endPreview();
    },
  };
}

/** What the site says of its visitor, to be compared: pages that include the chat again mostly say the same. */
const claims = (ocs: Ocs): string => JSON.stringify([claimedId(ocs), details(ocs, "", undefined, [])]);

/** `OCS.externalId = …` counts as saying that someone else is here now. */
function watchExternalId(ocs: Ocs, changed: () => void): () => void {
  let value = ocs.externalId;
  Object.defineProperty(ocs, "externalId", {
    configurable: true,
    enumerable: true,
    get: () => value,
    set(next: string | undefined) {
      if (next === value) return;
      value = next;
      // Fields set right after it belong to the same person.
      changed();
    },
  });
  return () => {
    Object.defineProperty(ocs, "externalId", { configurable: true, enumerable: true, writable: true, value });
  };
}
