// Checks the download sizes of the widget, in bytes of brotli 11, against the byte budgets. Exits 1 when one is exceeded.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const DIST = new URL("../dist/", import.meta.url);
const brotli = (text) => brotliCompressSync(Buffer.from(text), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const read = (name) => readFileSync(fileURLToPath(new URL(name, DIST)), "utf8");

/** A site as the server would insert it: realistic lengths, colours and keys. */
const SITE = {
  k: "wk_3f9Zk2LqP0aVtY7uRb1cXw", o: "https://chat.example.com", n: "Example Shop",
  l: ["classic", "bottom-right", "auto", "#2563eb", "#ffffff", "#1f2937", "#ffffff"],
  p: JSON.parse(read("widget/manifest.json")).panel, i: JSON.parse(read("widget/manifest.json")).integrity,
};

const template = read("launcher.js");
const launcher = template.replace("__OCS_SITE__", () => JSON.stringify(SITE));
const chunks = readdirSync(new URL("widget/", DIST)).filter((name) => name.endsWith(".js")).map((name) => ({ name, size: brotli(read(`widget/${name}`)), text: read(`widget/${name}`) }));
const size = (pattern) => Math.max(0, ...chunks.filter(({ name }) => pattern.test(name)).map((chunk) => chunk.size));
const ours = ["panel", "header", "log", "message", "composer"].map((name) => `../panel/src/styles/${name}.css`);
const sheets = ["../ui/tokens.css", ...ours, "../ui/composer/composer.css"].map((name) => readFileSync(new URL(name, import.meta.url), "utf8")).join("");
const styles = brotli(sheets.replace(/\/\*[^]*?\*\//g, "").replace(/\s+/g, " "));
const panel = chunks.find(({ name }) => name.startsWith("panel-"));
/** Files that the panel imports statically, before anything is loaded on demand. */
const eager = [...panel.text.matchAll(/(?:^|[;}])import\s*(?:[\w${},* ]+from\s*)?"\.\/([^"]+)"/g)].length;

const lines = [
  ["launcher with a site in it", brotli(launcher), 3_072],
  ["placeholders for the site in launcher.js (exactly 1)", template.split("__OCS_SITE__").length - 1, 1],
  ["first open: panel, styles, one language", panel.size + size(/^lang-/), 28_000],
  ["files at first open", 1 + eager + 1, 2],
  ["styles of all three variants", styles, 5_120],
  ["largest language pack", size(/^lang-/), 2_048],
  ["conversation (before the first message)", size(/^talk-/), 16_000],
  ["images (with the first one)", size(/^image_uploads-/), 3_000],
  ["emoji grid", size(/^emoji-/), 8_192],
  ["lightbox", size(/^lightbox-/), 2_048],
  ["sound (with the first one)", size(/^sound-/), 500],
  ["stream transport (only where sockets are blocked)", size(/^stream-/), 1_024],
  ["proof of work (only while a site is under attack)", size(/^proof_of_work-/), 1_024],
  ["everything that one chat can load", panel.size + size(/^lang-/) + size(/^talk-/) + size(/^image_uploads-/) + size(/^emoji-/) + size(/^lightbox-/) + size(/^sound-/), 45_000],
];

let broken = false;
for (const [what, bytes, limit] of lines) {
  const over = bytes > limit;
  broken ||= over;
  console.log(`${over ? "OVER" : "  ok"} ${String(bytes).padStart(7)} of ${String(limit).padStart(6)}  ${what}`);
}
process.exit(broken ? 1 : 0);
