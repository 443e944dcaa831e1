// What the stories share: a page of a host with the widget on it, and the list of stories.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { startBrowser } from "./browser.mjs";
import { startStub } from "./server.mjs";

export const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const PNG = Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64");
export const tests = [];
export const test = (name, run) => tests.push([name, run]);

/** A page of a host with the documented snippet, in a browser of its own. */
export async function visit(behaviour = {}, { html, headers = {}, script = "", init, viewport, ...context } = {}) {
  const stub = await startStub(behaviour);
  const tag = `<script>(function(){var s=document.createElement('script');s.src='${stub.origin}/api/widget.js?key=wk_1';s.async=true;document.head.appendChild(s);})();</script>`;
  stub.headers = headers;
  stub.page = html ?? ((url) => `<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"><script>${script}</script>${url.pathname.endsWith("without") ? "" : tag}</head><body><main><h1>Shop</h1><p><a href="#x">link</a></p></main></body></html>`);
  const browser = await startBrowser({ viewport: viewport ?? { width: 1280, height: 800 }, ...context });
  if (init) await browser.addInitScript(init);
  const page = await browser.newPage();
  const faults = [];
  const watch = (one) => {
    one.on("pageerror", (error) => faults.push(String(error.stack ?? error)));
    one.on("console", (said) => ["error", "warning"].includes(said.type()) && faults.push(said.text()));
  };
  watch(page);
  await page.goto(`${stub.origin}/page`);
  const chat = {
    stub, browser, page, faults, watch,
    // Unless it stands open as it was left on the page before.
    open: async () => { if (await page.getAttribute("ocs-chat .b", "aria-expanded") === "false") await page.click("ocs-chat .b"); await page.waitForSelector("ocs-chat .panel.open"); },
    field: page.locator("ocs-chat textarea"),
    say: async (text) => { await chat.field.fill(text); await page.keyboard.press("Enter"); },
    texts: () => page.locator("ocs-chat [data-key] .bubble").allTextContents(),
    until: (condition, what = String(condition)) => until(condition, what),
    did: (order) => stub.requests.filter((request) => request.do === order),
    kept: () => page.evaluate(() => Object.assign({}, ...["", ":draft", ":outbox"].map((entry) => JSON.parse(localStorage.getItem(`ocs:wk_1${entry}`))))),
    end: async () => { await browser.close(); await stub.close(); },
  };
  await page.waitForSelector("ocs-chat .b", { state: "attached", timeout: 5_000 }).catch(() => {});
  return chat;
}

export async function until(condition, what) {
  for (let turn = 0; turn < 400; turn += 1) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never came true: ${what}`);
}
