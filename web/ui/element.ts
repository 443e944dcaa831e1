/** Creates an element with a class and children. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", ...inside: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...inside);
  return made;
}

/** Creates a button of type "button"; `act` handles clicks. */
export function button(label: string, act: () => void): HTMLButtonElement {
  const made = element("button", "", label);
  made.type = "button";
  made.onclick = act;
  return made;
}
