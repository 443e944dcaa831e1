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

/** Creates the launcher's elements in a shadow root with one adopted style sheet: no style element and no parsed markup. */
export function makeFrame(label: string, language: string, name: string) {
  const host = document.createElement("ocs-chat");
  // When React 18 hydrates a whole document, it also checks the siblings of `body` and discards the page over an element that
  // it did not render. It skips comment nodes, so the host claims to be one.
  Object.defineProperty(host, "nodeType", { value: 8 });
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];

  const frame = make(root, "div", "w");
  frame.setAttribute("role", "region");
  frame.setAttribute("aria-label", name);
  // All languages of the launcher are left-to-right.
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
