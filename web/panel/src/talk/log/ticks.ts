import { icon } from "../../components/icons.ts";
import type { Words } from "../../words/words.ts";
import type { Delivery } from "../shown.ts";
import { element } from "@ocs/ui/element.ts";

/** How far an own message came. */
export function ticks(delivery: Delivery, words: Words): HTMLElement {
  const shown = icon(delivery === "sending" ? "queued" : delivery === "read" ? "delivered" : delivery);
  const drawn = element("span", `ticks ${delivery}`, shown, element("span", "hear", words[delivery]));
  drawn.title = words[delivery];
  return drawn;
}
