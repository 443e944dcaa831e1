/** The sync client of both web apps: no document, no framework. `wire.ts` is what crosses the network. */
export type * from "./wire.ts";
export * from "./connection.ts";
export * from "./shared_connection.ts";
export type * from "./line.ts";
export type { LeaderParts } from "./leader.ts";
export * from "./outbox.ts";
export * from "./outbox_store.ts";
export * from "./image_store.ts";
export * from "./message_list.ts";
export * from "./grouping.ts";
export * from "./linkify.ts";
export * from "./plain_text.ts";
export * from "./image_check.ts";
export * from "./image_prepare.ts";
export * from "./random_id.ts";
export * from "./refusal.ts";
export * from "./timers.ts";
export * from "./widget_door.ts";
