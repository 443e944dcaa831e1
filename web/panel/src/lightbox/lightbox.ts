import { Zoom } from "@ocs/ui/zoom.ts";
import type { Overlay } from "../layer.svelte.ts";
import type { DisplayedMessage } from "../talk/displayed_message.ts";
import css from "./lightbox.css?inline";

/** Shows an image full size above everything. Plain DOM, for the same reason as the emoji grid. Returns a function that removes it. */
export function showLightbox({ place, chat, adopt, close }: Overlay, shown: DisplayedMessage): () => void {
  const { words } = chat.language;
  const removeStyles = adopt(css);
  const { url, animated } = shown.image!;
  const box = make(place, "div");
  box.className = "lightbox";
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-modal", "true");
  box.setAttribute("aria-label", words.picture);
  // The image, or a still frame of it.
  const view = make(box, "div");
  const image = make(view, "img");
  image.src = url;
  image.alt = words.pictureFrom(shown.mine ? words.you : shown.name);
  image.draggable = false;

  const closeButton = button("✕", words.closePicture, close);
  const stops = [closeButton];
  if (animated) {
    const still = document.createElement("canvas");
    still.setAttribute("role", "img");
    still.setAttribute("aria-label", image.alt);
    const pause = () => {
      still.width = image.naturalWidth;
      still.height = image.naturalHeight;
      still.getContext("2d")?.drawImage(image, 0, 0);
      view.replaceChildren(still);
      showPaused(true);
    };
    const toggle = button("", "", () => {
      if (!still.isConnected) return pause();
      view.replaceChildren(image);
      showPaused(false);
    });
    const showPaused = (paused: boolean) => {
      toggle.textContent = paused ? "▶\ufe0e" : "⏸\ufe0e";
      toggle.title = paused ? words.play : words.pause;
      toggle.setAttribute("aria-label", toggle.title);
    };
    showPaused(false);
    toggle.className = "pause";
    stops.unshift(toggle);
    // With reduced motion, an animation starts paused.
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
  closeButton.focus();

  return () => {
    zoom.stop();
    box.remove();
    removeStyles();
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
