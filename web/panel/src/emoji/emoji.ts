import { flushSync, mount, unmount } from "svelte";
import { adopt } from "../adopt.ts";
import type { Chat } from "../chat.svelte.ts";
import EmojiGrid from "./EmojiGrid.svelte";
import css from "./emoji.css?inline";

export type EmojiParts = { chat: Chat; insert: (emoji: string) => void; close: () => void };

export function showEmojiGrid(place: HTMLElement, parts: EmojiParts): () => void {
  const undress = adopt(parts.chat.host.root, css);
  const grid = mount(EmojiGrid, { target: place, props: parts });
  flushSync();
  return () => {
    void unmount(grid);
    undress();
  };
}
