// Pictures of the widget for the eye: three variants, light and dark, desktop and phone, and a page that reads from the right.
// node panel/test/shots.mjs [folder]
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBrowser } from "./stub/browser.mjs";
import { startStub } from "./stub/server.mjs";
import { still } from "../../test/animations.js";

const out = process.argv[2] ?? join(tmpdir(), "ocs-shots");
mkdirSync(out, { recursive: true });
const PRIMARY = { classic: ["#2563eb", "#ffffff", "#1d4ed8", "#ffffff"], minimal: ["#1f2937", "#ffffff", "#1f2937", "#ffffff"], bubble: ["#6d3beb", "#ffffff", "#6d3beb", "#ffffff"] };
const stub = await startStub();
let options = "{}";
let attributes = 'lang="en"';
stub.page = () => `<!doctype html><html ${attributes}><head><meta name="viewport" content="width=device-width,initial-scale=1"><title>Shop</title><style>:root{color-scheme:light dark}body{font:16px/1.6 Georgia,serif;margin:0;padding:48px;background:light-dark(#f6f4ef,#1c1a17);color:light-dark(#333,#ddd)}</style><script>window.OCS=${options}</script><script async src="${stub.origin}/api/widget.js?key=wk_shots"></script></head><body><h1>The Paper Shop</h1><p>Notebooks, pens and ink since 1974.</p></body></html>`;

export async function talk(page, rtl = false) {
  await page.click("ocs-chat .b");
  await page.waitForSelector("ocs-chat .panel.open");
  await still(page);
  await page.locator("ocs-chat textarea").fill(rtl ? "مرحبا، هل لديكم دفاتر؟" : "Hello! Do you have A5 notebooks with dotted paper?");
  await page.keyboard.press("Enter");
  await page.waitForSelector("ocs-chat .ticks.sent");
  stub.agentSays(rtl ? "أهلاً بك! نعم، لدينا. انظر https://example.com/a5" : "Hi Vera! We do, in three colours. Have a look: https://example.com/notebooks");
  stub.agentSays(rtl ? "هل تفضل Rhodia أم Leuchtturm؟" : "Would you like the soft or the hard cover?");
  stub.mark("seen", 1);
  await page.waitForSelector("ocs-chat .agent .bubble >> nth=1");
  await page.locator("ocs-chat textarea").fill(rtl ? "Rhodia من فضلك" : "The hard one, please 👍");
  await page.keyboard.press("Enter");
  await page.waitForSelector("ocs-chat .mine .bubble >> nth=1");
  stub.signal({ kind: "typing", conversation: "c1", name: rtl ? "آن" : "Ann" });
  await page.waitForSelector("ocs-chat .typing");
  await still(page);
}

const browser = await startBrowser({ viewport: { width: 1280, height: 800 } });
const shots = [];
for (const variant of ["classic", "minimal", "bubble"]) {
  for (const [scheme, width, rtl] of [["light", 1280], ["dark", 1280], ["light", 390], ["dark", 390], ["light", 1280, true]]) {
    stub.behaviour.look = [variant, "bottom-right", "auto", ...PRIMARY[variant]];
    options = rtl ? "{locale:'ar'}" : "{nickname:'Vera'}";
    attributes = rtl ? 'lang="ar" dir="rtl"' : 'lang="en"';
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.log("page error:", error.stack));
    page.on("console", (said) => said.type() === "error" && !said.text().includes("favicon") && !said.text().includes("404") && console.log(said.text()));
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize(width === 390 ? { width, height: 844 } : { width, height: 800 });
    await page.goto(`${stub.origin}/page`);
    await page.waitForSelector("ocs-chat .b");
    await still(page);
    const name = `${variant}-${scheme}-${rtl ? "rtl" : width === 390 ? "phone" : "desktop"}`;
    const clip = width === 390 ? undefined : { x: 800, y: 40, width: 480, height: 760 };
    await page.click("ocs-chat .b");
    await page.waitForSelector("ocs-chat .panel.open");
    await still(page);
    await page.screenshot({ path: join(out, `${name}-first.png`), clip });
    await page.evaluate(() => OCS.close());
    await still(page);
    await talk(page, rtl);
    await page.screenshot({ path: join(out, `${name}.png`), clip });
    shots.push(name);
    await page.evaluate(() => localStorage.clear());
    await page.close();
  }
}
const sheet = await browser.newPage({});
for (const kind of ["", "-first"]) {
  const data = (name) => `data:image/png;base64,${readFileSync(join(out, `${name}${kind}.png`)).toString("base64")}`;
  const html = `<body style="margin:0;background:#888;display:grid;grid-template-columns:repeat(5,auto);gap:8px;width:max-content">${shots.map((name) => `<img src="${data(name)}" style="height:700px">`).join("")}`;
  writeFileSync(join(out, "sheet.html"), html);
  await sheet.goto(`file://${join(out, "sheet.html")}`);
  await sheet.setViewportSize({ width: 2000, height: 2130 });
  await sheet.screenshot({ path: join(out, `sheet${kind}.png`) });
}
await browser.close();
await stub.close();
