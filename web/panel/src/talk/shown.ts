import { plainName, plainText, type Grouped, type MessageForVisitor, type OutboxItem } from "@ocs/protocol";
import type { Conversations } from "./visit/conversations.ts";

export type Delivery = "queued" | "sending" | "sent" | "delivered" | "read" | "failed";

export type ShownImage = { url: string; thumb: string; width: number; height: number; animated: boolean };

/** A message as the list draws it, from the thread or from the queue: the same key in both, so that it stays in place. */
export type Shown = Grouped & {
  id: string;
  conversation: string | null;
  seq: number;
  mine: boolean;
  name: string;
  text: string;
  image: ShownImage | null;
  delivery: Delivery | null;
  code: string | null;
  progress: number;
};

/** Keeps a message's object while nothing about it changes, so that only what is new is drawn. */
export class ShownMessages {
  #before = new Map<string, Shown>();

  constructor(
    private readonly origin: string,
    private readonly agent: string,
    private readonly preview: (id: string) => ShownImage | null,
  ) {}

  of(conversations: Conversations, queue: readonly OutboxItem[]): Shown[] {
    const shown = [...conversations.messages.list.map((message) => this.#held(message, conversations)), ...queue.map((item) => this.#waiting(item))];
    const kept = shown.map((message) => this.#same(message));
    this.#before = new Map(kept.map((message) => [message.key, message]));
    return kept;
  }

  #held(message: MessageForVisitor, conversations: Conversations): Shown {
    const { conversation, seq, image, client_id } = message;
    const mine = message.from === "visitor";
    const marks = conversations.find(conversation);
    const name = mine ? "" : plainName(message.name, this.agent);
    return {
      key: client_id ?? `${conversation} ${seq}`,
      id: client_id ?? "",
      sender: mine ? "" : `agent ${name}`,
      at: message.at,
      conversation,
      seq,
      mine,
      name,
      text: plainText(message.text),
      image: image && { url: this.#absolute(image.url), thumb: this.#absolute(image.thumb_url), width: image.width, height: image.height, animated: image.animated },
      delivery: !mine ? null : seq <= (marks?.agent_seen_seq ?? 0) ? "read" : seq <= (marks?.agent_delivered_seq ?? 0) ? "delivered" : "sent",
      code: null,
      progress: 1,
    };
  }

  #waiting(item: OutboxItem): Shown {
    return {
      key: item.client_id,
      id: item.client_id,
      sender: "",
      at: item.at,
      conversation: null,
      seq: 0,
      mine: true,
      name: "",
      text: plainText(item.text),
      image: item.image && (this.preview(item.client_id) ?? { url: "", thumb: "", width: item.image.width, height: item.image.height, animated: false }),
      delivery: item.state,
      code: item.code,
      progress: item.progress,
    };
  }

  #same(message: Shown): Shown {
    const before = this.#before.get(message.key);
    if (before === undefined) return message;
    // The picture that was sent from here is on the screen already: no need to fetch it back.
    if (message.image !== null && before.image?.thumb.startsWith("blob:")) message.image = before.image;
    const { image, ...rest } = message;
    const unchanged = Object.entries(rest).every(([field, value]) => before[field as keyof Shown] === value);
    return unchanged && before.image?.thumb === image?.thumb ? before : message;
  }

  #absolute(url: string): string {
    return url.startsWith("/") ? this.origin + url : url;
  }
}
