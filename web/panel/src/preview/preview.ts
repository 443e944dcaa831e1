import type { PanelHost } from "@ocs/launcher/host";
import type { Row } from "@ocs/protocol";
import type { Chat } from "../chat.svelte.ts";
import type { DisplayedMessage } from "../talk/displayed_message.ts";
import { samplesFor } from "./samples.ts";

/** Message from the console to its preview frame when the owner changes something. */
export type PreviewChange = { ocs: "preview"; look?: PanelHost["site"]["l"]; welcome?: string; name?: string; logo_url?: string | null };

/** The real chat with sample messages: no network requests, and nothing is stored. */
export async function pretend(chat: Chat): Promise<() => void> {
  const { host, language } = chat;
  const samples = samplesFor(language.locale);
  chat.welcome = { name: host.site.n, welcome: host.site.w ?? "", logo_url: host.site.g ?? null, operators_online: true, limits: { text_graphemes: 0, text_bytes: 0, image_bytes: 0 } };
  const { parts } = await import("../talk/talk.ts");
  chat.parts = parts;
  const now = Date.now();
  chat.rows = [
    row(chat, 1, samples[0], null, now - 240_000),
    row(chat, 2, samples[1], samples[2], now - 180_000),
    row(chat, 3, samples[3], null, now - 60_000),
  ];

  const change = ({ data, origin }: MessageEvent) => {
    if (origin !== location.origin || (data as PreviewChange)?.ocs !== "preview") return;
    const { look, ...said } = data as PreviewChange;
    if (look) host.restyle(look);
    if (chat.welcome) chat.welcome = { ...chat.welcome, ...(said.welcome !== undefined && { welcome: said.welcome }), ...(said.name && { name: said.name }), ...(said.logo_url !== undefined && { logo_url: said.logo_url }) };
  };
  addEventListener("message", change);
  return () => removeEventListener("message", change);
}

/** Adds a message that is typed in the preview, without sending it. */
export function pretendToSend(chat: Chat, text: string): void {
  if (text !== "") chat.rows = [...chat.rows, row(chat, chat.rows.length + 1, text, null, Date.now())];
}

function row(chat: Chat, seq: number, text: string, name: string | null, at: number): Row<DisplayedMessage> {
  const mine = name === null;
  const key = `sample ${seq}`;
  const message: DisplayedMessage = { key, id: key, sender: name ?? "", at, conversation: null, seq, mine, name: name ?? chat.language.words.agent, text, image: null, delivery: mine ? "read" : null, unread: false, code: null, progress: 1 };
  return { key, message, day: seq === 1 ? at : null, first: true, last: true };
}
