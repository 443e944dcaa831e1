import assert from "node:assert/strict";
import { test, visit } from "../stub/visit.mjs";

const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 };

test("a panel that is not the one the server named is never run", async () => {
  const chat = await visit({ tampered: true });
  await chat.page.click("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .e a");
  assert.equal(await chat.page.locator("ocs-chat .e a").getAttribute("href"), `${chat.stub.origin}/chat/wk_1`);
  assert.equal(await chat.page.evaluate(() => globalThis.intruder), undefined);
  assert.ok(chat.faults.some((fault) => fault.includes("integrity")));
  await chat.end();
});

test("a policy of strict-dynamic, and a snippet whose script has no nonce of its own", async () => {
  const chat = await visit({});
  const { origin } = chat.stub;
  chat.stub.headers = { "Content-Security-Policy": `default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; connect-src ${origin} ${origin.replace("http", "ws")}; img-src ${origin}` };
  chat.stub.page = () => `<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script nonce="abc">(function(){var s=document.createElement('script');s.src='${origin}/api/widget.js?key=wk_1';s.async=true;document.head.appendChild(s);})();</script>`;
  await chat.page.goto(`${origin}/page?strict`);
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.end();
});

test("slow 4G: something to see at once, and writing before the history is there", async () => {
  const chat = await visit({ slow: 3_000 }, { script: "window.OCS={externalId:'vera'}" });
  chat.stub.visitorSaid("earlier", { person: chat.stub.person("vera") });
  const line = await chat.browser.newCDPSession(chat.page);
  await line.send("Network.enable");
  await line.send("Network.emulateNetworkConditions", SLOW_4G);
  const waited = await chat.page.evaluate(async () => {
    const root = document.querySelector("ocs-chat").shadowRoot;
    const began = performance.now();
    root.querySelector(".b").click();
    while (root.querySelector(".k, .panel.open") === null) await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    return performance.now() - began;
  });
  assert.ok(waited < 100, `${waited} ms`);
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.field.pressSequentially("typed early");
  assert.equal(await chat.field.inputValue(), "typed early");
  assert.deepEqual(await chat.texts(), []);
  await chat.until(async () => (await chat.texts()).includes("earlier"));
  assert.equal(await chat.field.inputValue(), "typed early");
  await chat.end();
});

/** Includes the widget, opens it, takes it apart. Answers how many timers its ends left. */
const cycles = (page, times, src) => page.evaluate(async ([times, src]) => {
  let left = 0;
  for (let turn = 0; turn < times; turn += 1) {
    const script = document.createElement("script");
    script.src = src;
    const loaded = new Promise((resolve) => (script.onload = resolve));
    document.head.append(script);
    await loaded;
    OCS.open();
    const root = document.querySelector("ocs-chat").shadowRoot;
    while (root.querySelector(".panel.open .hello") === null) await new Promise((later) => setTimeout(later, 5));
    OCS.destroy();
    script.remove();
    await new Promise(queueMicrotask);
    left += window.running.size;
  }
  return left;
}, [times, src]);

test("included again after destroy: it works again", async (chat) => {
  await chat.page.evaluate(() => OCS.destroy());
  await chat.page.evaluate((src) => new Promise((loaded) => {
    const script = document.createElement("script");
    Object.assign(script, { src, onload: loaded });
    document.head.append(script);
  }), `${chat.stub.origin}/api/widget.js?key=wk_1`);
  await chat.open();
  await chat.say("again");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  assert.equal(await chat.page.locator("ocs-chat").count(), 1);
});

test("a hundred times made and destroyed: nothing stays", async () => {
  const chat = await visit({}, { init: () => {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = window;
    const running = new Set();
    window.running = running;
    window.setTimeout = (act, wait, ...args) => { const id = setTimeout(() => { running.delete(id); act(...args); }, wait); running.add(id); return id; };
    window.setInterval = (...args) => { const id = setInterval(...args); running.add(id); return id; };
    window.clearTimeout = (id) => { running.delete(id); clearTimeout(id); };
    window.clearInterval = (id) => { running.delete(id); clearInterval(id); };
  } });
  await chat.page.evaluate(() => OCS.destroy());
  const line = await chat.browser.newCDPSession(chat.page);
  await line.send("Performance.enable");
  const src = `${chat.stub.origin}/api/widget.js?key=wk_1`;
  const count = async () => {
    for (let turn = 0; turn < 3; turn += 1) await line.send("HeapProfiler.collectGarbage");
    const { metrics } = await line.send("Performance.getMetrics");
    const { JSEventListeners, Nodes, JSHeapUsedSize } = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
    return { listeners: JSEventListeners, nodes: Nodes, heap: JSHeapUsedSize, timers: await chat.page.evaluate(() => window.running.size) };
  };
  const steady = async (times) => {
    await cycles(chat.page, 20, src);
    const before = await count();
    assert.equal(await cycles(chat.page, times, src), 0, "timers left by an end");
    assert.equal((await count()).timers, 0);
    // The last socket takes a moment to close; until then it holds its listeners.
    await chat.until(async () => (await count()).listeners <= before.listeners, "no more listeners than before");
    const after = await count();
    assert.ok(after.nodes <= before.nodes + 5, `nodes: ${before.nodes}, then ${after.nodes}`);
    assert.ok(after.heap - before.heap < 200_000, `heap grew by ${after.heap - before.heap}`);
  };
  await steady(100);
  assert.deepEqual(await chat.page.evaluate(() => [localStorage.length, document.cookie]), [0, ""]);
  // The same with a conversation, a socket and messages on the screen.
  const { token } = chat.stub.person("vera");
  chat.stub.visitorSaid("Hello");
  await chat.page.evaluate((token) => localStorage.setItem("ocs:wk_1", JSON.stringify({ token, owner: "vera" })), token);
  await chat.page.evaluate(() => (OCS.externalId = "vera"));
  await steady(50);
  await chat.until(() => chat.stub.lines.size === 0);
  await chat.end();
});
