import { linkify } from "@ocs/protocol";
import { element } from "@ocs/ui/element.ts";

/** What was written, its links to be followed. Text becomes text nodes, never markup. */
export function wordsOf(text: string): (Node | string)[] {
  return linkify(text).map(({ text, href }) => {
    if (href === undefined) return text;
    // A long address breaks where its parts begin.
    const link = element("a", "", ...text.split(/(?<=[^/][/?&=#])(?=\w)/).flatMap((part) => [part, document.createElement("wbr")]));
    link.href = href;
    link.target = "_blank";
    link.rel = "noopener noreferrer nofollow ugc";
    return link;
  });
}
