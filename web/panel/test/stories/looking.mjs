import assert from "node:assert/strict";
import { still } from "../../../test/animations.js";
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

test("no touch on emoji or Send raises the phone's keyboard", async () => {
  const chat = await visit({}, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const typesInto = () => chat.page.evaluate(() => document.querySelector("ocs-chat").shadowRoot.activeElement?.matches("input, textarea"));
  await chat.page.tap("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.page.tap("ocs-chat .composer .tool >> nth=1");
  await chat.page.waitForSelector("ocs-chat .emoji button");
  assert.equal(await typesInto(), false);
  await chat.page.tap("ocs-chat .emoji .grid button");
  await chat.page.waitForSelector("ocs-chat .emoji", { state: "detached" });
  assert.equal(await typesInto(), false);
  assert.equal(await chat.field.inputValue(), "😀");
  await chat.page.tap("ocs-chat .send");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  assert.equal(await typesInto(), false);
  // A keyboard that is up stays up.
  await chat.field.tap();
  await chat.field.fill("Hello");
  await chat.page.tap("ocs-chat .send");
  assert.equal(await typesInto(), true);
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

const inPanel = (chat, read) => chat.page.evaluate(`(${read})(document.querySelector("ocs-chat").shadowRoot)`);

test("a link breaks where its parts end, a word without an end anywhere, other words never", async () => {
  const chat = await visit({}, { viewport: { width: 390, height: 844 } });
  await chat.open();
  await chat.say("hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  const words = ["everything", "about", "delivery", "stands", "here:", "https://", "northwind.example/", "help/", "delivery/", "to/", "islands"];
  chat.stub.agentSays(words.join(" ").replaceAll("/ ", "/"));
  chat.stub.agentSays("W".repeat(90));
  await chat.until(async () => (await chat.texts()).length === 3);
  const lines = await inPanel(chat, (root) => {
    const [said, endless] = [...root.querySelectorAll(".agent .bubble")].filter((bubble) => !bubble.closest(".hello"));
    const tops = [...said.textContent].map((_, at) => {
      const range = document.createRange();
      const walk = document.createTreeWalker(said, NodeFilter.SHOW_TEXT);
      let left = at;
      while (walk.nextNode() && left >= walk.currentNode.length) left -= walk.currentNode.length;
      range.setStart(walk.currentNode, left);
      range.setEnd(walk.currentNode, left + 1);
      return range.getBoundingClientRect().top;
    });
    let lines = "";
    [...said.textContent].forEach((letter, at) => (lines += (at > 0 && letter.trim() && tops[at] > tops[at - 1] + 4 ? "|" : "") + letter));
    return { pieces: lines.split("|").flatMap((line) => line.trim().split(/ |(?<=[^/]\/)/)), lines: lines.split("|").length, fits: endless.scrollWidth <= endless.clientWidth };
  });
  assert.ok(lines.lines > 2, "long enough to break");
  assert.deepEqual(lines.pieces.join(" ").replaceAll("https:/ /", "https:// ").replace(/  +/g, " "), words.join(" "));
  assert.ok(lines.fits);
  await chat.end();
});

test("the name of the site and the visitor's are both to be read, and whether somebody is there, on a phone in all variants", async () => {
  for (const variant of ["classic", "minimal", "bubble"]) {
    const chat = await visit({ name: "Northwind Lamps, Chairs and Tables", look: [variant, "bottom-right", "auto", "#2563eb", "#ffffff", "#2563eb", "#ffffff"] }, { viewport: { width: 360, height: 700 }, script: "window.OCS={externalId:'vera',nickname:'Veronica'}" });
    await chat.open();
    await chat.page.waitForSelector("ocs-chat .presence");
    const cut = await inPanel(chat, (root) => [".nick", ".presence"].filter((name) => root.querySelector(name).scrollWidth > root.querySelector(name).clientWidth));
    assert.deepEqual(cut, [], variant);
    assert.ok((await chat.page.locator("ocs-chat h2 bdi").first().boundingBox()).width > 90, variant);
    await chat.end();
  }
});

test("the large greeting makes room for the first message", async () => {
  const chat = await visit({ welcome: "Ahoy, sailor", look: ["bubble", "bottom-right", "auto", "#2563eb", "#ffffff", "#2563eb", "#ffffff"] });
  const tall = () => inPanel(chat, (root) => root.querySelector(".greeting").getBoundingClientRect().height);
  await chat.open();
  await chat.until(async () => (await tall()) > 40);
  await chat.say("Hello");
  await chat.until(async () => (await tall()) === 0);
  await chat.end();
});

test("emoji alone stand large on no ground, in all variants", async () => {
  for (const variant of ["classic", "minimal", "bubble"]) {
    const chat = await visit({ look: [variant, "bottom-right", "auto", "#2563eb", "#ffffff", "#2563eb", "#ffffff"] });
    await chat.open();
    await chat.say("\u{1f499}");
    await chat.page.waitForSelector("ocs-chat .ticks.sent");
    const { image, ground, size } = await inPanel(chat, (root) => {
      const { backgroundImage: image, backgroundColor: ground, fontSize: size } = getComputedStyle(root.querySelector(".mine .bubble"));
      return { image, ground, size };
    });
    assert.deepEqual({ image, ground, size }, { image: "none", ground: "rgba(0, 0, 0, 0)", size: "36px" }, variant);
    await chat.end();
  }
});

test("times of day as the browser has them, where it speaks the page's language", async () => {
  for (const [locale, pattern] of [["en-GB", /^\d{1,2}:\d\d$/], ["en-US", /^\d{1,2}:\d\d.[AP]M$/], ["de-DE", /^\d{1,2}:\d\d.[AP]M$/]]) {
    const chat = await visit({}, { locale });
    await chat.open();
    await chat.say("Hello");
    await chat.page.waitForSelector("ocs-chat .ticks.sent");
    assert.match(await chat.page.locator("ocs-chat .after time").textContent(), pattern, locale);
    await chat.end();
  }
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
  await still(chat.page);
  assert.equal(await chat.page.evaluate(() => document.activeElement === document.body && document.querySelector("ocs-chat").shadowRoot.activeElement === null), true);
  await chat.end();
});
