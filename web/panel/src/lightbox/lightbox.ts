import { flushSync, mount, unmount } from "svelte";
import { adopt } from "../adopt.ts";
import type { Chat } from "../chat.svelte.ts";
import type { Shown } from "../talk/shown.ts";
import css from "./lightbox.css?inline";
import Lightbox from "./Lightbox.svelte";

export type LightboxParts = { chat: Chat; shown: Shown; close: () => void };

export function showLightbox(place: HTMLElement, parts: LightboxParts): () => void {
  const undress = adopt(parts.chat.host.root, css);
  const lightbox = mount(Lightbox, { target: place, props: parts });
  flushSync();
  return () => {
    void unmount(lightbox);
    undress();
  };
}
