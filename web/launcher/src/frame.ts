import css from "./launcher.css?inline";

const BUBBLE = "M12 3.5c-5 0-9 3.4-9 7.7 0 2.4 1.3 4.6 3.3 6L5.6 21l4-2.2c.8.1 1.6.2 2.4.2 5 0 9-3.4 9-7.8s-4-7.7-9-7.7z";
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
export function makeFrame(label: string, name: string) {
  const host = document.createElement("ocs-chat");
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets = [sheet];

  const frame = make(root, "div", "w");
  frame.role = "region";
  frame.ariaLabel = name;
  const button = make(frame, "button", "b");
  button.type = "button";
  button.ariaHasPopup = "dialog";
  icon(button, BUBBLE);
  icon(button, CROSS);
  make(button, "span", "t").textContent = label;
  const badge = make(button, "span", "n");
  return { host, root, frame, button, badge, make };
}
