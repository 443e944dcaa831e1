import type { PanelHost } from "@ocs/launcher/host";
import type { Row } from "@ocs/protocol";
import type { Chat } from "../chat.svelte.ts";
import type { Shown } from "../talk/shown.ts";
import { samplesFor } from "./samples.ts";

/** What the page of My Sites sends to its preview frame when the owner changes something. */
export type PreviewChange = { ocs: "preview"; look?: PanelHost["site"]["l"]; welcome?: string; name?: string; logo_url?: string | null };

/** The real chat with made-up messages: nothing is asked of the network, nothing is kept. */
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

/** What the visitor types in a preview stays in it. */
export function pretendToSend(chat: Chat, text: string): void {
  if (text !== "") chat.rows = [...chat.rows, row(chat, chat.rows.length + 1, text, null, Date.now())];
}

function row(chat: Chat, seq: number, text: string, name: string | null, at: number): Row<Shown> {
  const mine = name === null;
  const key = `sample ${seq}`;
  const message: Shown = { key, id: key, sender: name ?? "", at, conversation: null, seq, mine, name: name ?? chat.language.words.agent, text, image: null, delivery: mine ? "read" : null, unread: false, code: null, progress: 1 };
  return { key, message, day: seq === 1 ? at : null, first: true, last: true };
}
