import { onlyEmoji, type Row } from "@ocs/protocol";
import type { Chat } from "../../chat.svelte.ts";
import type { Dates } from "../dates.ts";
import type { DisplayedMessage } from "../displayed_message.ts";
import { button, element } from "@ocs/ui/element.ts";
import { pictureOf, showUpload } from "./picture.ts";
import type { ReadTracker } from "./read_tracker.ts";
import { receipt } from "./receipt.ts";
import { renderText } from "./message_text.ts";

/** Dependencies that all rows share. */
export type RowParts = { chat: Chat; dates: Dates; reading: ReadTracker };

/**
 * One row of the message list. Plain DOM, updated only where something changed: a component per message would take more memory
 * than the message itself, and focus and selection would be lost.
 */
export class MessageRow {
  readonly element = element("div");
  row!: Row<DisplayedMessage>;
  #day: HTMLElement | null = null;
  #above: HTMLElement[] = [];
  #body!: HTMLElement;
  #after: HTMLElement | null = null;
  #afterKey = "";

  constructor(private readonly parts: RowParts) {
    this.element.setAttribute("role", "article");
    this.element.tabIndex = -1;
  }

  /** The row's nodes in the list, with the day separator before the first message of a day. */
  get nodes(): HTMLElement[] {
    return this.#day === null ? [this.element] : [this.#day, this.element];
  }

  draw(row: Row<DisplayedMessage>): void {
    const before = this.row as Row<DisplayedMessage> | undefined;
    if (row === before) return;
    this.row = row;
    const { chat, reading } = this.parts;
    const { message } = row;
    const { mine, text, image, delivery } = message;
    const big = text !== "" && onlyEmoji(text);
    const look = `m ${mine ? "mine" : "agent"}${row.first ? " first" : ""}${row.last ? " last" : ""}${big ? " big" : ""}${delivery === "failed" ? " failed" : ""}`;
    if (this.element.className !== look) this.element.className = look;
    if (before?.day !== row.day) this.#drawDay();
    if (before?.message.text !== text || before.message.image?.thumb !== image?.thumb) this.#drawBody();
    if (image) showUpload(this.#body, message, chat);
    if (!mine && (before?.first !== row.first || before.last !== row.last)) this.#drawAbove();
    this.#drawAfter();
    if (before === undefined) reading.watch(this.element, message);
  }

  /** Roving tabindex: makes this row the one that Tab reaches, with its links and buttons. */
  stop(is: boolean): void {
    this.element.tabIndex = is ? 0 : -1;
    for (const inside of this.element.querySelectorAll<HTMLElement>("a, .picture > button")) inside.tabIndex = this.element.tabIndex;
  }

  remove(): void {
    this.parts.reading.unwatch(this.element);
    for (const node of this.nodes) node.remove();
  }

  #drawDay(): void {
    this.#day?.remove();
    const { day } = this.row;
    this.#day = day === null ? null : element("div", "day", element("span", "", this.parts.dates.day(day)));
  }

  #drawBody(): void {
    const { chat } = this.parts;
    const { words } = chat.language;
    const { key, mine, name, text, image } = this.row.message;
    this.element.dataset.key = key;
    this.element.setAttribute("aria-label", words.says(mine ? words.you : name, image ? words.picture : text));
    const oldBody = this.#body as HTMLElement | undefined;
    if (image) this.#body = pictureOf(chat, () => this.row.message);
    else {
      this.#body = element("div", "bubble", ...renderText(text));
      this.#body.dir = "auto";
    }
    if (oldBody) oldBody.replaceWith(this.#body);
    else this.element.append(this.#body);
    this.stop(this.element.tabIndex === 0);
  }

  /** The sender's name above the first message of a run, and the avatar beside the last one. */
  #drawAbove(): void {
    const { first, last, message } = this.row;
    for (const old of this.#above) old.remove();
    this.#above = [];
    if (first) this.#above.push(element("div", "who", element("bdi", "", message.name)));
    if (last) {
      const face = element("span", "face", [...message.name][0] ?? "");
      face.setAttribute("aria-hidden", "true");
      this.#above.push(face);
    }
    this.#body.before(...this.#above);
  }

  /** Time and receipt, or the error with its actions. Replaced only when it changed, so that it is not announced again. */
  #drawAfter(): void {
    const { last, message } = this.row;
    const { at, code, delivery } = message;
    const failed = delivery === "failed";
    const key = failed ? `failed ${code}` : last || delivery === "queued" || delivery === "sending" ? `${delivery} ${at}` : "";
    if (key === this.#afterKey) return;
    this.#afterKey = key;
    this.#after?.remove();
    this.#after = key === "" ? null : failed ? this.#failure() : this.#time();
    if (this.#after) this.element.append(this.#after);
  }

  #time(): HTMLElement {
    const { at, delivery } = this.row.message;
    const { chat, dates } = this.parts;
    const time = element("time", "", dates.time(at));
    time.dateTime = new Date(at).toISOString();
    time.title = dates.full(at);
    return element("div", "after", time, ...(delivery ? [receipt(delivery, chat.language.words)] : []));
  }

  #failure(): HTMLElement {
    const { chat } = this.parts;
    const { words } = chat.language;
    const { id, code } = this.row.message;
    const text = element("span", "", (code && words.failures[code as keyof typeof words.failures]) || words.failed);
    text.setAttribute("role", "alert");
    return element("div", "after fault", text, button(words.retry, () => chat.with((talk) => talk.retry(id))), button(words.delete, () => chat.with((talk) => talk.discard(id))));
  }
}
