/** A plain element and what stands in it. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className = "", ...inside: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...inside);
  return made;
}

export function button(label: string, act: () => void): HTMLButtonElement {
  const made = element("button", "", label);
  made.type = "button";
  made.onclick = act;
  return made;
}
