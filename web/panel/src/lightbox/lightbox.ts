import { Zoom } from "@ocs/ui/zoom.ts";
import type { Overlay } from "../layer.svelte.ts";
import type { Shown } from "../talk/shown.ts";
import css from "./lightbox.css?inline";

/** A picture over everything. Plain elements, for the reason the emoji grid has. */
export function showLightbox({ place, chat, adopt, close }: Overlay, shown: Shown): () => void {
  const { words } = chat.language;
  const undress = adopt(css);
  const { url, animated } = shown.image!;
  const box = make(place, "div");
  box.className = "lightbox";
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  box.setAttribute("aria-label", words.picture);
  // The picture, or what stands still of it.
  const view = make(box, "div");
  const image = make(view, "img");
  image.src = url;
  image.alt = words.pictureFrom(shown.mine ? words.you : shown.name);
  image.draggable = false;

  const leave = button("✕", words.closePicture, close);
  const stops = [leave];
  if (animated) {
    const still = document.createElement("canvas");
    still.setAttribute("role", "img");
    still.setAttribute("aria-label", image.alt);
    const pause = () => {
      still.width = image.naturalWidth;
      still.height = image.naturalHeight;
      still.getContext("2d")?.drawImage(image, 0, 0);
      view.replaceChildren(still);
      say(true);
    };
    const toggle = button("", "", () => {
      if (!still.isConnected) return pause();
      view.replaceChildren(image);
      say(false);
    });
    const say = (paused: boolean) => {
      toggle.textContent = paused ? "▶\ufe0e" : "⏸\ufe0e";
      toggle.title = paused ? words.play : words.pause;
      toggle.setAttribute("aria-label", toggle.title);
    };
    say(false);
    toggle.className = "pause";
    stops.unshift(toggle);
    // For who asked for stillness it does not begin.
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      view.replaceChildren();
      image.onload = () => view.hasChildNodes() || pause();
    }
  }

  const zoom = new Zoom(view, close);
  box.ondragover = box.ondrop = (event) => event.preventDefault();
  box.onkeydown = (event) => {
    if (event.key === "Escape") close();
    else if (event.key === "Tab") stops[(stops.indexOf((box.getRootNode() as ShadowRoot).activeElement as HTMLButtonElement) + 1) % stops.length]!.focus();
    else if (!zoom.key(event.key)) return;
    event.preventDefault();
  };
  leave.focus();

  return () => {
    zoom.stop();
    box.remove();
    undress();
  };

  function button(sign: string, label: string, act: () => void): HTMLButtonElement {
    const made = make(box, "button");
    made.type = "button";
    made.textContent = sign;
    made.title = label;
    made.setAttribute("aria-label", label);
    made.onclick = act;
    return made;
  }
}

function make<K extends keyof HTMLElementTagNameMap>(parent: Node, tag: K): HTMLElementTagNameMap[K] {
  return parent.appendChild(document.createElement(tag));
}
