import type { Chat } from "../../chat.svelte.ts";
import type { DisplayedMessage } from "../displayed_message.ts";
import { button, element } from "@ocs/ui/element.ts";

const LONGEST_PX = 240;
const SHORTEST_PX = 48;

/** A thumbnail that opens full size. `message` returns the row's current message. */
export function pictureOf(chat: Chat, message: () => DisplayedMessage): HTMLElement {
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

/** Shows upload progress and a cancel button; removes them once the image is uploaded. */
export function showUpload(picture: HTMLElement, { id, delivery, progress }: DisplayedMessage, chat: Chat): void {
  const bar = picture.querySelector("progress");
  if (delivery !== "sending" && delivery !== "queued") return bar?.parentElement!.remove();
  if (bar) return void (bar.value = progress);
  const { words } = chat.language;
  const made = element("progress");
  made.value = progress;
  made.setAttribute("aria-label", words.sending);
  picture.append(element("div", "upload", made, button(words.cancel, () => chat.with((talk) => talk.discard(id)))));
}
