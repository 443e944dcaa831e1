import type { Overlay } from "../layer.svelte.ts";
import type { Shown } from "../talk/shown.ts";
import css from "./lightbox.css?inline";
import { Zoom } from "./zoom.ts";

/** A picture over everything. Plain elements, for the reason the emoji grid has. */
export function showLightbox({ place, chat, adopt, close }: Overlay, shown: Shown): () => void {
  const { words } = chat.language;
  const undress = adopt(css);
  const { url, thumb, animated } = shown.image!;
  // For who asked for stillness: the thumbnail of an animation does not move.
  const still = animated && matchMedia("(prefers-reduced-motion: reduce)").matches;

  const box = document.createElement("div");
  box.className = "lightbox";
  box.role = "dialog";
  box.ariaModal = "true";
  box.ariaLabel = words.picture;

  const image = document.createElement("img");
  image.src = still ? thumb : url;
  image.alt = words.pictureFrom(shown.mine ? words.you : shown.name);
  image.draggable = false;

  const leave = document.createElement("button");
  leave.type = "button";
  leave.ariaLabel = leave.title = words.closePicture;
  leave.textContent = "✕";
  leave.onclick = close;

  box.append(image, leave);
  box.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    // The button is the only stop there is.
    if (event.key === "Tab") event.preventDefault();
  };
  place.append(box);
  leave.focus();
  const zoom = new Zoom(image, close);

  return () => {
    zoom.stop();
    box.remove();
    undress();
  };
}
