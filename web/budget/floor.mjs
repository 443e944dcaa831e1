// The oldest browsers in which the chat works (launcher/floor.json), held against what is built. Exits 1 where a built
// file needs a newer one. What is asked for before it is used stands below with how it is asked for.
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "acorn";

const floor = JSON.parse(readFileSync(new URL("../launcher/floor.json", import.meta.url), "utf8"));
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8").replace(/\s+/g, " ");
const dist = new URL("../dist/", import.meta.url);
const names = ["launcher.js", ...readdirSync(new URL("widget/", dist)).filter((name) => name.endsWith(".js")).map((name) => `widget/${name}`)];
const files = names.map((name) => ({ name, text: readFileSync(new URL(name, dist), "utf8").replace("__OCS_SITE__", "0") }));

/** How it reads, the first Chrome, Firefox and Safari that know it (MDN), and what stands before it where they are too new. */
const THINGS = [
  ["adopted sheets", /adoptedStyleSheets/, [73, 101, 16.4]],
  ["color-mix()", /color-mix\(/, [111, 113, 16.2]],
  ["inert", /\binert\b/, [102, 112, 15.5]],
  ["dvh", /\ddvh/, [108, 101, 15.4]],
  ["lookbehind", /\(\?<[=!]/, [62, 78, 16.4]],
  ["reflected ARIA", /\.role\s*=[^=]|\.aria[A-Z]\w*\s*=[^=]/, [103, 119, 16.4]],
  [":has()", /:has\(/, [105, 121, 15.4]],
  ["nesting", /&:|& [.>]/, [120, 117, 17.2]],
  ["light-dark()", /light-dark\(/, [123, 120, 17.5]],
  ["container queries", /@container/, [105, 110, 16]],
  ["popover", /showPopover|\.popover\b/, [114, 125, 17], /\.showPopover&&/],
  ["modulepreload", /modulepreload/, [66, 115, 17], /relList\.supports\("modulepreload"\)/],
  ["Intl.Segmenter", /Intl\.Segmenter/, [87, 125, 14.1], /Segmenter["'`]? in Intl|typeof Intl\.Segmenter|Intl\.Segmenter(?:\?|&&|\)|===|!==|==|!=)/],
  ["field-sizing", /field-sizing/, [123, 999, 26.2], /supports\("field-sizing"/],
  ["user activation", /userActivation/, [72, 120, 16.4], /userActivation\?\./],
  ["idle callbacks", /requestIdleCallback/, [47, 55, 999], /requestIdleCallback\|\|/],
  ["close watchers", /CloseWatcher/, [126, 149, 999], /CloseWatcher:\w+\}=window|void 0===\w+|CloseWatcher===void 0/],
  ["methods that copy", /\.to(?:Sorted|Reversed|Spliced)\(/, [110, 115, 16]],
  ["structuredClone", /structuredClone\(/, [98, 94, 15.4]],
  ["grouping", /(?:Object|Map)\.groupBy\(/, [117, 119, 17.4]],
  ["Promise.withResolvers", /Promise\.(?:withResolvers|try)\b/, [119, 121, 17.4]],
  ["URL.canParse", /URL\.(?:canParse|parse)\(/, [120, 115, 17]],
  ["any of signals", /AbortSignal\.any\(/, [116, 124, 17.4]],
  ["methods of sets", /\.(?:isSubsetOf|symmetricDifference|isDisjointFrom)\(/, [122, 127, 17]],
];
const mins = [floor.chrome, floor.firefox, floor.safari].map(Number);
let broken = false;
const fail = (what) => { broken = true; console.log(`NEWER ${what}`); };

for (const { name, text } of files) {
  try {
    // What Chrome 94, Firefox 93 and Safari 16.4 parse.
    parse(text, { ecmaVersion: 2022, sourceType: name === "launcher.js" ? "script" : "module" });
  } catch (problem) {
    fail(`${name}: ${problem.message}`);
  }
  for (const [what, reads, first, asked] of THINGS) {
    if (reads.test(text) && first.some((version, at) => version > mins[at]) && !asked?.test(text)) fail(`${name}: ${what} (Chrome ${first[0]}, Firefox ${first[1]}, Safari ${first[2]})`);
  }
}
const used = THINGS.filter(([, reads, , asked]) => !asked && files.some(({ text }) => reads.test(text)));
const needed = [0, 1, 2].map((at) => Math.max(...used.map(([, , first]) => first[at])));
if (needed.join() !== mins.join()) fail(`floor.json says ${mins.join(", ")}; the newest that is used came with ${needed.join(", ")}`);
const words = `Chrome or Edge ${floor.chrome}, Firefox ${floor.firefox}, Safari ${floor.safari}`;
if (!readme.includes(words)) fail(`the README does not name ${words}`);
if (!broken) console.log(`${files.length} files of the widget work in ${words}, and newer`);
process.exit(broken ? 1 : 0);
