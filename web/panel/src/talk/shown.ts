import { plainName, plainText, type Grouped, type MessageForVisitor, type OutboxItem } from "@ocs/protocol";
import type { ShownImage } from "@ocs/ui/composer/gallery.ts";
import type { Conversations } from "./visit/conversations.ts";

export type Delivery = "queued" | "sending" | "sent" | "delivered" | "read" | "failed";

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
  /** From an agent, and not yet read when it came here. */
  unread: boolean;
  code: string | null;
  progress: number;
};

/** Keeps a message's object while nothing about it changes, so that only what is new is drawn. */
export class ShownMessages {
  /** By what the server or the queue holds: those objects are replaced, never changed. */
  readonly #known = new WeakMap<MessageForVisitor | OutboxItem, Shown>();
  /** Of the last time: most of it stands as it did. */
  #messages: readonly MessageForVisitor[] = [];
  #marks = "";
  #shown: readonly Shown[] = [];

  constructor(
    private readonly origin: string,
    private readonly agent: string,
    private readonly preview: (id: string) => ShownImage | null,
  ) {}

  of(conversations: Conversations, queue: readonly OutboxItem[]): readonly Shown[] {
    const messages = conversations.messages.list;
    const marks = conversations.list.map(({ agent_delivered_seq, agent_seen_seq }) => `${agent_delivered_seq} ${agent_seen_seq}`).join();
    let same = 0;
    if (marks === this.#marks) while (same < messages.length && messages[same] === this.#messages[same]) same += 1;
    this.#shown = [...this.#shown.slice(0, same), ...messages.slice(same).map((message) => this.#held(message, conversations))];
    this.#messages = messages;
    this.#marks = marks;
    return queue.length === 0 ? this.#shown : [...this.#shown, ...queue.map((item) => this.#waiting(item))];
  }

  #held(message: MessageForVisitor, conversations: Conversations): Shown {
    const { conversation, seq } = message;
    const mine = message.from === "visitor";
    const known = this.#known.get(message);
    // About what an agent wrote nothing changes.
    if (known && !mine) return known;
    const marks = conversations.find(conversation);
    const delivery = !mine ? null : seq <= (marks?.agent_seen_seq ?? 0) ? "read" : seq <= (marks?.agent_delivered_seq ?? 0) ? "delivered" : "sent";
    if (known?.delivery === delivery) return known;
    return this.#keep(message, { ...(known ?? this.#told(message, mine)), delivery, unread: !mine && seq > (marks?.visitor_seen_seq ?? 0) });
  }

  #told({ conversation, seq, at, image, client_id, ...message }: MessageForVisitor, mine: boolean): Shown {
    const name = mine ? "" : plainName(message.name, this.agent);
    return {
      key: client_id ?? `${conversation} ${seq}`,
      id: client_id ?? "",
      sender: mine ? "" : `agent ${name}`,
      at,
      conversation,
      seq,
      mine,
      name,
      text: plainText(message.text),
      // The picture that was sent from here is on the screen already: no need to fetch it back.
      image: image && (this.preview(client_id ?? "") ?? { url: this.#absolute(image.url), thumb: this.#absolute(image.thumb_url), width: image.width, height: image.height, animated: image.animated }),
      delivery: null,
      unread: false,
      code: null,
      progress: 1,
    };
  }

  #waiting(item: OutboxItem): Shown {
    const { client_id: id, image } = item;
    const preview = image && this.preview(id);
    const known = this.#known.get(item);
    // A picture that an earlier page left comes later than its place.
    if (known && (preview === null || known.image === preview)) return known;
    return this.#keep(item, {
      key: id,
      id,
      sender: "",
      at: item.at,
      conversation: null,
      seq: 0,
      mine: true,
      name: "",
      text: plainText(item.text),
      image: image && (preview ?? { url: "", thumb: "", width: image.width, height: image.height, animated: false }),
      delivery: item.state,
      unread: false,
      code: item.code,
      progress: item.progress,
    });
  }

  #keep(of: MessageForVisitor | OutboxItem, shown: Shown): Shown {
    this.#known.set(of, shown);
    return shown;
  }

  #absolute(url: string): string {
    return url.startsWith("/") ? this.origin + url : url;
  }
}
