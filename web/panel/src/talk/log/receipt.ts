import { icon } from "../../components/icons.ts";
import type { Words } from "../../words/words.ts";
import type { Delivery } from "../displayed_message.ts";
import { element } from "@ocs/ui/element.ts";

/** The delivery status of an own message, as an icon with a label. */
export function receipt(delivery: Delivery, words: Words): HTMLElement {
  const shown = icon(delivery === "sending" ? "queued" : delivery === "read" ? "delivered" : delivery);
  const drawn = element("span", `ticks ${delivery}`, shown, element("span", "hear", words[delivery]));
  drawn.title = words[delivery];
  return drawn;
}
