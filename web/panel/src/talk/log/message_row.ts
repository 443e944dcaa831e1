import { onlyEmoji, type Row } from "@ocs/protocol";
import type { Chat } from "../../chat.svelte.ts";
import type { Dates } from "../dates.ts";
import type { Shown } from "../shown.ts";
import { button, element } from "@ocs/ui/element.ts";
import { pictureOf, showUpload } from "./picture.ts";
import type { Reading } from "./reading.ts";
import { ticks } from "./ticks.ts";
import { wordsOf } from "./words.ts";

/** What all rows of a list share. */
export type RowParts = { chat: Chat; dates: Dates; reading: Reading };

/**
 * One message of the list. Plain elements, of which only what changed is made anew: a component for each would make
 * every message weigh more than all that is said in it, and what is focused or selected would be lost.
 */
export class MessageRow {
  readonly element = element("div");
  row!: Row<Shown>;
  #day: HTMLElement | null = null;
  #above: HTMLElement[] = [];
  #body!: HTMLElement;
  #after: HTMLElement | null = null;
  #saysAfter = "";

  constructor(private readonly parts: RowParts) {
    this.element.setAttribute("role", "article");
    this.element.tabIndex = -1;
  }

  /** What stands in the list: a new day is named before its first message. */
  get nodes(): HTMLElement[] {
    return this.#day === null ? [this.element] : [this.#day, this.element];
  }

  draw(row: Row<Shown>): void {
    const before = this.row as Row<Shown> | undefined;
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

  /** The list has one stop for Tab, so that links and buttons of one message can be reached. */
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
    const was = this.#body as HTMLElement | undefined;
    if (image) this.#body = pictureOf(chat, () => this.row.message);
    else {
      this.#body = element("div", "bubble", ...wordsOf(text));
      this.#body.dir = "auto";
    }
    if (was) was.replaceWith(this.#body);
    else this.element.append(this.#body);
    this.stop(this.element.tabIndex === 0);
  }

  /** Whose run of messages begins here, and the face beside its last one. */
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

  /** The time and the ticks, or what went wrong and what may be done. Said anew only where it is another thing. */
  #drawAfter(): void {
    const { last, message } = this.row;
    const { at, code, delivery } = message;
    const failed = delivery === "failed";
    const says = failed ? `failed ${code}` : last || delivery === "queued" || delivery === "sending" ? `${delivery} ${at}` : "";
    if (says === this.#saysAfter) return;
    this.#saysAfter = says;
    this.#after?.remove();
    this.#after = says === "" ? null : failed ? this.#failure() : this.#time();
    if (this.#after) this.element.append(this.#after);
  }

  #time(): HTMLElement {
    const { at, delivery } = this.row.message;
    const { chat, dates } = this.parts;
    const time = element("time", "", dates.time(at));
    time.dateTime = new Date(at).toISOString();
    time.title = dates.full(at);
    return element("div", "after", time, ...(delivery ? [ticks(delivery, chat.language.words)] : []));
  }

  #failure(): HTMLElement {
    const { chat } = this.parts;
    const { words } = chat.language;
    const { id, code } = this.row.message;
    const said = element("span", "", (code && words.failures[code as keyof typeof words.failures]) || words.failed);
    said.setAttribute("role", "alert");
    return element("div", "after fault", said, button(words.retry, () => chat.with((talk) => talk.retry(id))), button(words.delete, () => chat.with((talk) => talk.discard(id))));
  }
}
