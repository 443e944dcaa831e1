import { themes, TONES, toned, type Emoji } from "./catalogue.ts";
import css from "./emoji.css?inline";

const RECENT = 16;

export type EmojiParts = {
  place: HTMLElement;
  words: { emoji: string; emojiSearch: string; emojiTone: string; emojiRecent: string; emojiNone: string };
  recent: readonly string[];
  /** Asked for by touch: nothing takes the focus that would raise an on-screen keyboard. */
  touched: boolean;
  adopt: (css: string) => () => void;
  /** `recent`: what to offer first the next time. */
  onchoose: (emoji: string, recent: string[]) => void;
};

/**
 * Shows the grid and returns what takes it away. Plain elements, no components: two hundred buttons that never change
 * need no framework, and a chunk that imports nothing keeps the panel's first opening at two files.
 */
export function showEmojiGrid({ place, words, recent, touched, adopt, onchoose }: EmojiParts): () => void {
  const undress = adopt(css);
  let tone = 0;

  const box = make(place, "div", "emoji");
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", words.emoji);
  const find = make(box, "div", "find");
  const field = make(find, "input");
  field.type = "search";
  field.placeholder = words.emojiSearch;
  field.setAttribute("aria-label", words.emojiSearch);
  const toneButton = button(find, "✋", words.emojiTone, () => {
    tone = (tone + 1) % TONES.length;
    toneButton.textContent = `✋${TONES[tone]}`;
    draw();
  });
  toneButton.className = "tone";
  const grid = make(box, "div", "grid");
  const none = make(box, "p", "none");
  none.setAttribute("role", "status");

  const choose = (char: string) => onchoose(char, [char, ...recent.filter((held) => held !== char)].slice(0, RECENT));

  function draw() {
    grid.replaceChildren();
    const text = field.value.trim().toLowerCase();
    const matches = ({ char, words: names }: Emoji) => names.includes(text) || char === text;
    const groups = text === "" ? themes.map(({ list }) => list) : [themes.flatMap(({ list }) => list).filter(matches)];
    if (text === "") for (const char of recent) button(grid, char, `${words.emojiRecent} ${char}`, () => choose(char));
    for (const group of groups) {
      if (grid.hasChildNodes()) make(grid, "span", "theme");
      for (const emoji of group) {
        const char = toned(emoji, TONES[tone] ?? "");
        button(grid, char, emoji.words, () => choose(char));
      }
    }
    const [first, ...others] = grid.querySelectorAll("button");
    for (const other of others) other.tabIndex = -1;
    none.textContent = first === undefined ? words.emojiNone : "";
    none.hidden = first !== undefined;
  }

  field.oninput = draw;
  field.onkeydown = (event) => {
    const first = grid.querySelector("button");
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    if (event.key === "Enter") first?.click();
    else first?.focus();
  };
  grid.onkeydown = (event) => walk(event, grid);
  draw();
  (touched ? grid.querySelector("button")! : field).focus();

  return () => {
    box.remove();
    undress();
  };
}

/** One stop for Tab; arrows walk the grid as it is drawn. */
function walk(event: KeyboardEvent, grid: HTMLElement): void {
  const buttons = [...grid.querySelectorAll("button")];
  const at = buttons.indexOf(event.target as HTMLButtonElement);
  const style = getComputedStyle(grid);
  const columns = style.gridTemplateColumns.split(" ").length;
  const forward = style.direction === "rtl" ? -1 : 1;
  const moves: Record<string, number> = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: columns, ArrowUp: -columns };
  const move = moves[event.key];
  if (move === undefined || at < 0) return;
  event.preventDefault();
  buttons[Math.max(0, Math.min(buttons.length - 1, at + move))]?.focus();
}

function make<K extends keyof HTMLElementTagNameMap>(parent: Node, tag: K, name = ""): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = name;
  parent.appendChild(element);
  return element;
}

function button(parent: Node, char: string, label: string, act: () => void): HTMLButtonElement {
  const made = make(parent, "button");
  made.type = "button";
  made.textContent = char;
  made.title = label;
  made.setAttribute("aria-label", label);
  made.onclick = act;
  return made;
}
