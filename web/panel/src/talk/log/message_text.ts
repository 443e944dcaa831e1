import { linkify } from "@ocs/protocol";
import { element } from "@ocs/ui/element.ts";

/** Renders a message text with clickable links. Text becomes text nodes, never markup. */
export function renderText(text: string): (Node | string)[] {
  return linkify(text).map(({ text, href }) => {
    if (href === undefined) return text;
    // Lets a long URL wrap between its parts.
    const link = element("a", "", ...text.split(/(?<=[^/][/?&=#])(?=\w)/).flatMap((part) => [part, document.createElement("wbr")]));
    link.href = href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow ugc";
    return link;
  });
}
