import type { Chat } from "../chat.svelte.ts";
export type EmojiParts = { chat: Chat; insert: (emoji: string) => void; close: () => void };
export function showEmojiGrid(_place: HTMLElement, _parts: EmojiParts): () => void { return () => {}; }
