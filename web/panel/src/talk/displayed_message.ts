import { sanitizeName, sanitizeText, type Groupable, type MessageForVisitor, type OutboxItem } from "@ocs/protocol";
import type { ShownImage } from "@ocs/ui/composer/image_uploads.ts";
import type { Conversations } from "./session/conversations.ts";

export type Delivery = "queued" | "sending" | "sent" | "delivered" | "read" | "failed";

/** A message as the list renders it, from the thread or the outbox. It has the same key in both, so that it stays in place. */
export type DisplayedMessage = Groupable & {
  id: string;
  conversation: string | null;
  seq: number;
  mine: boolean;
  name: string;
  text: string;
  image: ShownImage | null;
  delivery: Delivery | null;
  /** From an agent, and unread when it arrived here. */
  unread: boolean;
  code: string | null;
  progress: number;
};

/** Converts messages for display. Unchanged messages keep their objects, so that only new ones are rendered. */
export class DisplayedMessages {
  /** Cache by source object: messages and outbox items are replaced, never mutated. */
  readonly #known = new WeakMap<MessageForVisitor | OutboxItem, DisplayedMessage>();
  /** The previous input: most of it is unchanged. */
  #messages: readonly MessageForVisitor[] = [];
  #watermarks = "";
  #displayed: readonly DisplayedMessage[] = [];

  constructor(
    private readonly origin: string,
    private readonly agent: string,
    private readonly preview: (id: string) => ShownImage | null,
  ) {}

  of(conversations: Conversations, queue: readonly OutboxItem[]): readonly DisplayedMessage[] {
    const messages = conversations.messages.list;
    const watermarks = conversations.list.map(({ agent_delivered_seq, agent_seen_seq }) => `${agent_delivered_seq} ${agent_seen_seq}`).join();
    let same = 0;
    if (watermarks === this.#watermarks) while (same < messages.length && messages[same] === this.#messages[same]) same += 1;
    this.#displayed = [...this.#displayed.slice(0, same), ...messages.slice(same).map((message) => this.#fromServer(message, conversations))];
    this.#messages = messages;
    this.#watermarks = watermarks;
    return queue.length === 0 ? this.#displayed : [...this.#displayed, ...queue.map((item) => this.#fromQueue(item))];
  }

  #fromServer(message: MessageForVisitor, conversations: Conversations): DisplayedMessage {
    const { conversation, seq } = message;
    const mine = message.from === "visitor";
    const known = this.#known.get(message);
    // An agent's message never changes.
    if (known && !mine) return known;
    const watermarks = conversations.find(conversation);
    const delivery = !mine ? null : seq <= (watermarks?.agent_seen_seq ?? 0) ? "read" : seq <= (watermarks?.agent_delivered_seq ?? 0) ? "delivered" : "sent";
    if (known?.delivery === delivery) return known;
    return this.#remember(message, { ...(known ?? this.#convert(message, mine)), delivery, unread: !mine && seq > (watermarks?.visitor_seen_seq ?? 0) });
  }

  #convert({ conversation, seq, at, image, client_id, ...message }: MessageForVisitor, mine: boolean): DisplayedMessage {
    const name = mine ? "" : sanitizeName(message.name, this.agent);
    return {
      key: client_id ?? `${conversation} ${seq}`,
      id: client_id ?? "",
      sender: mine ? "" : `agent ${name}`,
      at,
      conversation,
      seq,
      mine,
      name,
      text: sanitizeText(message.text),
      // An image that was sent from here is on the screen already, so it is not fetched.
      image: image && (this.preview(client_id ?? "") ?? { url: this.#absolute(image.url), thumb: this.#absolute(image.thumb_url), width: image.width, height: image.height, animated: image.animated }),
      delivery: null,
      unread: false,
      code: null,
      progress: 1,
    };
  }

  #fromQueue(item: OutboxItem): DisplayedMessage {
    const { client_id: id, image } = item;
    const preview = image && this.preview(id);
    const known = this.#known.get(item);
    // The image of an item that an earlier page left is loaded after its row is shown.
    if (known && (preview === null || known.image === preview)) return known;
    return this.#remember(item, {
      key: id,
      id,
      sender: "",
      at: item.at,
      conversation: null,
      seq: 0,
      mine: true,
      name: "",
      text: sanitizeText(item.text),
      image: image && (preview ?? { url: "", thumb: "", width: image.width, height: image.height, animated: false }),
      delivery: item.state,
      unread: false,
      code: item.code,
      progress: item.progress,
    });
  }

  #remember(of: MessageForVisitor | OutboxItem, displayed: DisplayedMessage): DisplayedMessage {
    this.#known.set(of, displayed);
    return displayed;
  }

  #absolute(url: string): string {
    return url.startsWith("/") ? this.origin + url : url;
  }
}
