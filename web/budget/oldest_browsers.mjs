// Compares the built widget with the oldest browsers that it supports (launcher/oldest_browsers.json). Exits 1 when a built
// file needs a newer browser. A feature that the code detects before using it is listed with the pattern of that check.
import { readdirSync, readFileSync } from "node:fs";
import { parse } from "acorn";

const oldest = JSON.parse(readFileSync(new URL("../launcher/oldest_browsers.json", import.meta.url), "utf8"));
const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8").replace(/\s+/g, " ");
const dist = new URL("../dist/", import.meta.url);
const names = ["launcher.js", ...readdirSync(new URL("widget/", dist)).filter((name) => name.endsWith(".js")).map((name) => `widget/${name}`)];
const files = names.map((name) => ({ name, text: readFileSync(new URL(name, dist), "utf8").replace("__OCS_SITE__", "0") }));

/** Name, pattern in built code, first Chrome, Firefox and Safari with the feature (MDN), and the feature check where those are too new. */
const FEATURES = [
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
const oldestVersions = [oldest.chrome, oldest.firefox, oldest.safari].map(Number);
let broken = false;
const fail = (what) => { broken = true; console.log(`NEWER ${what}`); };

for (const { name, text } of files) {
  try {
    // The syntax of Chrome 94, Firefox 93 and Safari 16.4.
    parse(text, { ecmaVersion: 2022, sourceType: name === "launcher.js" ? "script" : "module" });
  } catch (problem) {
    fail(`${name}: ${problem.message}`);
  }
  for (const [what, pattern, since, guard] of FEATURES) {
    if (pattern.test(text) && since.some((version, at) => version > oldestVersions[at]) && !guard?.test(text)) fail(`${name}: ${what} (Chrome ${since[0]}, Firefox ${since[1]}, Safari ${since[2]})`);
  }
}
const used = FEATURES.filter(([, pattern, , guard]) => !guard && files.some(({ text }) => pattern.test(text)));
const newestNeeded = [0, 1, 2].map((at) => Math.max(...used.map(([, , since]) => since[at])));
if (newestNeeded.join() !== oldestVersions.join()) fail(`oldest_browsers.json says ${oldestVersions.join(", ")}; the newest feature in use came with ${newestNeeded.join(", ")}`);
const versions = `Chrome or Edge ${oldest.chrome}, Firefox ${oldest.firefox}, Safari ${oldest.safari}`;
if (!readme.includes(versions)) fail(`the README does not name ${versions}`);
if (!broken) console.log(`${files.length} files of the widget work in ${versions} and newer`);
process.exit(broken ? 1 : 0);
