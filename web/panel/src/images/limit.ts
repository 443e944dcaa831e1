import type { Chat } from "../chat.svelte.ts";

const UNTIL_TOLD_BYTES = 5_242_880;

export const pictureLimit = (chat: Chat): number => chat.welcome?.limits.image_bytes ?? UNTIL_TOLD_BYTES;
