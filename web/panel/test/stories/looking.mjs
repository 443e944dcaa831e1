import assert from "node:assert/strict";
import { test, visit } from "../stub/visit.mjs";

/** One pixel, two frames. */
const GIF = Buffer.from("474946383961010001008000000000 00ffffff21ff0b4e45545343415045322e300301000000 21f904000a000000 2c000000000100010000020244010021f904000a0000002c0000000001000100000202 4c01003b".replaceAll(" ", ""), "hex");

const sendGif = async (chat) => {
  await chat.open();
  await chat.page.setInputFiles("ocs-chat input[type=file]", [{ name: "a.gif", mimeType: "image/gif", buffer: GIF }]);
  await chat.page.waitForSelector("ocs-chat .tray li img");
  await chat.page.click("ocs-chat .send");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.click("ocs-chat .picture > button");
  await chat.page.waitForSelector("ocs-chat .lightbox");
};

test("an animation can be stopped, by keyboard too; five times as large, and back", async (chat) => {
  await sendGif(chat);
  const inside = (name) => chat.page.locator(`ocs-chat .lightbox ${name}`);
  await inside("img").waitFor();
  const label = () => chat.page.evaluate(() => document.querySelector("ocs-chat").shadowRoot.activeElement.ariaLabel);
  assert.equal(await label(), "Close picture");
  await chat.page.keyboard.press("Tab");
  assert.equal(await label(), "Pause");
  await chat.page.keyboard.press("Enter");
  await inside("canvas").waitFor();
  assert.equal(await label(), "Play");
  await chat.page.keyboard.press("Enter");
  await inside("img").waitFor();
  const scale = () => chat.page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector("ocs-chat").shadowRoot.querySelector(".lightbox div")).transform).a);
  for (let n = 0; n < 8; n += 1) await chat.page.keyboard.press("+");
  assert.equal(await scale(), 5);
  await chat.page.keyboard.press("ArrowLeft");
  await chat.page.keyboard.press("0");
  assert.equal(await scale(), 1);
  await chat.page.keyboard.press("Escape");
  await inside("img").waitFor({ state: "detached" });
  await chat.until(() => chat.page.evaluate(() => !!document.querySelector("ocs-chat").shadowRoot.activeElement.closest(".picture")), "focus is back at the picture");
  assert.deepEqual(chat.faults, []);
});

test("the emoji button stays to be seen while the grid is open, on a phone too", async () => {
  const chat = await visit({}, { viewport: { width: 390, height: 844 }, hasTouch: true });
  await chat.page.tap("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.page.tap("ocs-chat .composer .tool >> nth=1");
  await chat.page.waitForSelector("ocs-chat .emoji button");
  assert.ok(await chat.page.locator("ocs-chat .composer .tool >> nth=1").locator("svg").isVisible());
  await chat.end();
});

test("on a page that reads from the right one begins to write at the right", async () => {
  const chat = await visit({}, { init: () => addEventListener("DOMContentLoaded", () => Object.assign(document.documentElement, { dir: "rtl", lang: "ar" })) });
  await chat.open();
  const side = () => chat.page.evaluate(() => getComputedStyle(document.querySelector("ocs-chat").shadowRoot.querySelector("textarea")).direction);
  assert.equal(await side(), "rtl");
  await chat.field.fill("Hello");
  assert.equal(await side(), "ltr");
  await chat.end();
});

test("who asked for less motion sees animations stand", async () => {
  const chat = await visit({}, { reducedMotion: "reduce" });
  await sendGif(chat);
  await chat.page.locator("ocs-chat .lightbox canvas").waitFor();
  await chat.end();
});

test("the preview shows the greeting and the logo as they are typed, and leaves the focus alone", async () => {
  const chat = await visit({ preview: true, welcome: "Ahoy, sailor", logo: "/uploads/logos/x.png" });
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.page.waitForSelector("ocs-chat .hello");
  assert.match(await chat.page.locator("ocs-chat .hello .bubble").textContent(), /Ahoy, sailor/);
  assert.equal(await chat.page.locator("ocs-chat .logo").getAttribute("src"), `${chat.stub.origin}/uploads/logos/x.png`);
  await chat.page.waitForTimeout(300);
  assert.equal(await chat.page.evaluate(() => document.activeElement === document.body && document.querySelector("ocs-chat").shadowRoot.activeElement === null), true);
  await chat.end();
});
