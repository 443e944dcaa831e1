import css from "./launcher.css?inline";

const BUBBLE = "M4 20l1.3-4a8.5 8.5 0 1 1 3 2.7z";
const CROSS = "M6 6l12 12M18 6L6 18";

const make = <K extends keyof HTMLElementTagNameMap>(parent: Node, tag: K, name?: string) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  parent.appendChild(element);
  return element;
};

const icon = (parent: Node, path: string) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.appendChild(document.createElementNS(svg.namespaceURI, "path") as SVGPathElement).setAttribute("d", path);
  parent.appendChild(svg);
};

/** The elements, in a shadow root with one adopted sheet: no style element, no markup parsed. */
export function makeFrame(label: string, language: string, name: string) {
  const host = document.createElement("ocs-chat");
  // React 18 walks the siblings of `body` when it hydrates a whole document, and throws the page away over an element that
  // it did not render. What calls itself a comment it passes over.
  Object.defineProperty(host, "nodeType", { value: 8 });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];

  const frame = make(root, "div", "w");
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", name);
  // All languages of the launcher are written from left to right.
  frame.dir = "ltr";
  frame.lang = language;
  const button = make(frame, "button", "b");
  button.type = "button";
  button.setAttribute("aria-haspopup", "dialog");
  icon(button, BUBBLE);
  icon(button, CROSS);
  make(button, "span", "t").textContent = label;
  button.setAttribute("aria-label", label);
  return { host, root, frame, button, make };
}
