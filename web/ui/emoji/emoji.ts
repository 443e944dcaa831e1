import { themes, TONES, toned, type Emoji } from "./catalogue.ts";
import css from "./emoji.css?inline";

const RECENT = 16;

export type EmojiParts = {
  place: HTMLElement;
  words: { emoji: string; emojiSearch: string; emojiTone: string; emojiRecent: string; emojiNone: string };
  recent: readonly string[];
  /** Opened by touch: focus nothing that would open the on-screen keyboard. */
  touched: boolean;
  adopt: (css: string) => () => void;
  /** `recent`: the emoji to offer first next time. */
  onchoose: (emoji: string, recent: string[]) => void;
};

/**
 * Shows the emoji grid and returns a function that removes it. Plain DOM instead of components: two hundred static buttons
 * need no framework, and a chunk without imports keeps the panel's first load at two files.
 */
export function showEmojiGrid({ place, words, recent, touched, adopt, onchoose }: EmojiParts): () => void {
  const removeStyles = adopt(css);
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
  grid.onkeydown = (event) => moveFocus(event, grid);
  draw();
  (touched ? grid.querySelector("button")! : field).focus();

  return () => {
    box.remove();
    removeStyles();
  };
}

/** Roving tabindex: the grid is one Tab stop; arrow keys move the focus along its visual rows and columns. */
function moveFocus(event: KeyboardEvent, grid: HTMLElement): void {
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
