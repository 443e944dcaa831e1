import type { Chat } from "../../chat.svelte.ts";
import type { Shown } from "../shown.ts";
import { button, element } from "@ocs/ui/element.ts";

const LONGEST_PX = 240;
const SHORTEST_PX = 48;

/** A picture of the list, which opens full size. `message` answers what the row shows now. */
export function pictureOf(chat: Chat, message: () => Shown): HTMLElement {
  const { words } = chat.language;
  const { mine, name, image } = message();
  const { thumb, width, height } = image!;
  const open = button("", () => (chat.enlarged = message()));
  open.setAttribute("aria-label", `${words.pictureFrom(mine ? words.you : name)}. ${words.openPicture}`);
  if (thumb) {
    const scale = Math.min(1, LONGEST_PX / Math.max(width, height, 1));
    const shown = element("img");
    shown.width = Math.max(SHORTEST_PX, Math.round(width * scale));
    shown.height = Math.max(SHORTEST_PX, Math.round(height * scale));
    shown.alt = "";
    shown.decoding = "async";
    shown.draggable = false;
    shown.src = thumb;
    open.append(shown);
  }
  return element("div", "picture", open);
}

/** How far the picture's upload is, and the way to stop it; nothing once it is there. */
export function showUpload(picture: HTMLElement, { id, delivery, progress }: Shown, chat: Chat): void {
  const bar = picture.querySelector("progress");
  if (delivery !== "sending" && delivery !== "queued") return bar?.parentElement!.remove();
  if (bar) return void (bar.value = progress);
  const { words } = chat.language;
  const made = element("progress");
  made.value = progress;
  made.setAttribute("aria-label", words.sending);
  picture.append(element("div", "upload", made, button(words.cancel, () => chat.with((talk) => talk.discard(id)))));
}
