import assert from "node:assert/strict";
import { still } from "../../../test/animations.js";
import { test, visit } from "../stub/visit.mjs";

test("the draft and the caret outlive a reload, and follow into another tab", async (chat) => {
  await chat.open();
  await chat.field.pressSequentially("Hello world");
  for (let n = 0; n < 6; n += 1) await chat.page.keyboard.press("ArrowLeft");
  await chat.until(async () => (await chat.kept()).caret === 5);
  await chat.page.reload();
  await chat.open();
  const caret = (page) => page.evaluate(() => { const field = document.querySelector("ocs-chat").shadowRoot.querySelector("textarea"); return [field.value, field.selectionStart, field.selectionEnd]; });
  await chat.until(async () => (await caret(chat.page))[1] === 5);
  assert.deepEqual(await caret(chat.page), ["Hello world", 5, 5]);
  const second = await chat.browser.newPage();
  await second.goto(`${chat.stub.origin}/page?second`);
  await second.click("ocs-chat .b");
  await second.waitForSelector("ocs-chat .panel.open");
  await chat.until(async () => (await caret(second)).join() === "Hello world,5,5");
  await second.keyboard.type(",");
  await chat.until(async () => (await caret(chat.page))[0] === "Hello, world", "seen in the first tab");
  await second.keyboard.press("Enter");
  await chat.until(async () => (await caret(chat.page))[0] === "", "sent there, gone here");
});

test("what is written in two tabs at once does not mix: the last written stands in both", async (chat) => {
  await chat.open();
  const second = await chat.browser.newPage();
  await second.goto(`${chat.stub.origin}/page?second`);
  await second.click("ocs-chat .b");
  await second.waitForSelector("ocs-chat .panel.open");
  const fields = [chat.field, second.locator("ocs-chat textarea")];
  // Who begins goes on from what stands there; from then on each has a draft of their own.
  await fields[0].fill("a");
  await fields[1].fill("b");
  await Promise.all([fields[0].pressSequentially("a".repeat(29), { delay: 20 }), fields[1].pressSequentially("b".repeat(29), { delay: 20 })]);
  const drafts = () => Promise.all(fields.map((field) => field.inputValue()));
  for (const draft of await drafts()) assert.match(draft, /^(a{30}|b{30})$/);
  await chat.until(async () => new Set([...(await drafts()), (await chat.kept()).draft]).size === 1, "one draft in the end");
});

test("back by the back button: the very page, connected again, with what was said meanwhile", async () => {
  const chat = await visit({}, { ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  const line = await chat.browser.newCDPSession(chat.page);
  const refusals = [];
  line.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations }) => refusals.push(...notRestoredExplanations.map(({ reason }) => reason)));
  await line.send("Page.enable");
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.evaluate(() => (window.here = true));
  // The next page has the widget too, and takes over: what its chat tells the other tabs must not end the kept page.
  await chat.page.goto(`${chat.stub.origin}/page_elsewhere`);
  await chat.open();
  await chat.say("From the next page");
  await chat.until(() => [...chat.stub.people.values()][0].messages.length === 2);
  await chat.page.goto(`${chat.stub.origin}/page_without`);
  await chat.until(() => chat.stub.lines.size === 0, "the line ends with the page");
  chat.stub.agentSays("while you were away");
  for (let steps = 0; steps < 2; steps += 1) await chat.page.goBack({ waitUntil: "commit" });
  await chat.until(async () => (await chat.texts()).join() === "Hello,From the next page,while you were away", "all that was missed");
  assert.deepEqual(refusals, []);
  assert.equal(await chat.page.evaluate(() => window.here), true);
  assert.equal(chat.stub.lines.size, 1);
  chat.stub.agentSays("and now");
  await chat.until(async () => (await chat.texts()).includes("and now"), "heard live");
  await chat.end();
});

test("frozen and awake again: nothing is missing", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  const line = await chat.browser.newCDPSession(chat.page);
  await line.send("Page.setWebLifecycleState", { state: "frozen" });
  chat.stub.cut();
  for (let n = 1; n <= 70; n += 1) chat.stub.agentSays(`slept through ${n}`);
  await chat.until(() => chat.stub.lines.size === 0, "cut");
  await line.send("Page.setWebLifecycleState", { state: "active" });
  await chat.until(async () => (await chat.texts()).length === 71, "all of it");
  assert.deepEqual((await chat.texts()).slice(1), Array.from({ length: 70 }, (_, n) => `slept through ${n + 1}`));
});

test("an answer into a closed chat shows on the next page, for a week", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  chat.stub.ended();
  await chat.until(async () => (await chat.kept()).until < Date.now() + 8 * 86_400_000);
  await chat.page.keyboard.press("Escape");
  await chat.page.goto("about:blank");
  chat.stub.agentSays("One more thing");
  await chat.page.goto(`${chat.stub.origin}/page?next`);
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()).trim() === "1");
  await chat.page.evaluate(() => localStorage.setItem("ocs:wk_1", JSON.stringify({ ...JSON.parse(localStorage.getItem("ocs:wk_1")), until: Date.now() - 1 })));
  await chat.page.goto("about:blank");
  const before = chat.stub.requests.length;
  await chat.page.goto(`${chat.stub.origin}/page?later`);
  await chat.page.waitForLoadState("networkidle");
  assert.deepEqual(chat.stub.requests.slice(before).map(({ path }) => path), ["/page?later", "/api/widget.js?key=wk_1"]);
});

test("three tabs, one sound; none while somebody reads", async () => {
  const chat = await visit({}, { init: () => {
    window.sounds = 0;
    window.AudioContext = class { constructor() { window.sounds += 1; throw new Error("no device"); } };
  } });
  const tabs = [chat.page];
  for (const name of ["two", "three"]) {
    const tab = await chat.browser.newPage();
    await tab.goto(`${chat.stub.origin}/page?${name}`);
    tabs.push(tab);
  }
  await chat.page.bringToFront();
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.browser.clock.install();
  for (const tab of tabs.slice(1)) {
    await tab.bringToFront();
    await tab.click("ocs-chat .b");
    await tab.waitForSelector("ocs-chat .ticks.sent");
  }
  for (const tab of tabs) await tab.evaluate(() => OCS.close());
  const sounds = async () => (await Promise.all(tabs.map((tab) => tab.evaluate(() => window.sounds)))).reduce((sum, one) => sum + one, 0);
  chat.stub.agentSays("one");
  await chat.until(async () => (await sounds()) === 1, "a sound");
  await chat.browser.clock.runFor(5_000);
  assert.equal(await sounds(), 1);
  chat.stub.agentSays("two");
  await chat.until(async () => (await sounds()) === 2);
  await chat.browser.clock.runFor(5_000);
  assert.equal(await sounds(), 2);
  await chat.page.bringToFront();
  await chat.page.evaluate(() => OCS.open());
  await still(chat.page);
  chat.stub.agentSays("three");
  await chat.until(async () => (await chat.texts()).includes("three"));
  await chat.browser.clock.runFor(5_000);
  assert.equal(await sounds(), 2);
  await chat.end();
});

test("what is written before the rest of the chat is here is sent, though another tab wrote over what was kept", async (chat) => {
  let letIn;
  const held = new Promise((resolve) => (letIn = resolve));
  await chat.page.route("**/talk-*.js", async (route) => {
    await held;
    await route.continue();
  });
  await chat.open();
  await chat.page.evaluate(() => OCS.send("I am first"));
  await chat.until(async () => JSON.parse((await chat.page.evaluate(() => localStorage["ocs:wk_1:outbox"])) ?? "{}").outbox?.length === 1);
  // As two tabs do that write at the same moment: each had read before the other wrote.
  await chat.page.evaluate(() => localStorage.setItem("ocs:wk_1:outbox", JSON.stringify({ outbox: [] })));
  letIn();
  await chat.until(() => [...chat.stub.people.values()][0]?.messages.map(({ text }) => text).join() === "I am first");
  assert.deepEqual(await chat.texts(), ["I am first"]);
});

test("a chat that was left open on a wide screen stays closed on a narrow one, however wide the page is", async () => {
  const chat = await visit({}, {
    viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true,
    html: () => "<!doctype html><meta name=viewport content='width=device-width,minimum-scale=.25'><title>Shop</title><div style='width:1200px;height:20px'>wide</div><script async src='/api/widget.js?key=wk_1'></script>",
    init: () => sessionStorage.setItem("ocs:wk_1", "open"),
  });
  assert.ok(await chat.page.evaluate(() => innerWidth > 480 && matchMedia("(max-width: 480px)").matches), "this page is the one that is meant");
  await chat.page.waitForSelector("ocs-chat .b", { state: "attached" });
  assert.equal(await chat.page.getAttribute("ocs-chat .b", "aria-expanded"), "false");
  await chat.end();
});
