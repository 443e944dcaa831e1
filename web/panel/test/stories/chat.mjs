import assert from "node:assert/strict";
import { still } from "../../../test/animations.js";
import { axe, PNG, test, visit } from "../stub/visit.mjs";

test("one request, nothing kept, before the visitor acts", async (chat) => {
  await chat.page.waitForLoadState("networkidle");
  assert.deepEqual(chat.stub.requests.map(({ path }) => path), ["/page", "/api/widget.js?key=wk_1"]);
  assert.deepEqual(await chat.page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie, Object.keys(window).filter((name) => /ocs/i.test(name))]), [0, 0, "", ["OCS"]]);
  await chat.page.hover("ocs-chat .b");
  await chat.until(() => chat.stub.requests.length > 2);
  await chat.open();
  assert.equal((await chat.page.evaluate(() => Object.keys(localStorage))).length, 0);
  assert.equal(chat.stub.requests.filter(({ path }) => path.includes("/panel-")).length, 1);
});

test("a first word: start, socket, true ticks, an answer, read", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.until(async () => (await chat.texts()).includes("Hello"));
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  chat.stub.mark("delivered", 1);
  await chat.page.waitForSelector("ocs-chat .ticks.delivered");
  chat.stub.mark("seen", 1);
  await chat.page.waitForSelector("ocs-chat .ticks.read");
  chat.stub.agentSays("Hi!");
  await chat.until(async () => (await chat.texts()).includes("Hi!"));
  await chat.until(() => chat.stub.hints.some(({ type, seq }) => type === "seen" && seq === 2));
  assert.equal(await chat.page.locator("ocs-chat .hear[aria-live]").textContent(), "Ann: Hi!");
  assert.match((await chat.kept()).ocs_external_id, /^v_/);
});

test("unread outside the chat: badge, title, and none once read", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.keyboard.press("Escape");
  for (let n = 0; n < 3; n += 1) chat.stub.agentSays(`n${n}`);
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()).trim() === "3");
  assert.equal(await chat.page.locator("ocs-chat .b").getAttribute("aria-label"), "Chat, 3 unread");
  await chat.page.reload();
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()).trim() === "3", "badge after a reload");
  await chat.open();
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()) === "");
});

test("what came into a closed chat is read when the chat is opened, however long after", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.keyboard.press("Escape");
  await chat.page.clock.install();
  chat.stub.agentSays("one");
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()).trim() === "1");
  // Longer than a look takes.
  await chat.page.clock.runFor(5_000);
  assert.ok(!chat.stub.hints.some(({ type }) => type === "seen"), "nobody looked yet");
  await chat.open();
  await chat.until(() => chat.stub.hints.some(({ type, seq }) => type === "seen" && seq === 2), "read");
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()) === "");
});

test("strict policies and Trusted Types 'none' are kept without a report", async () => {
  const cases = {
    "nonce and strict-dynamic": (origin) => `default-src 'none'; script-src 'nonce-abc' 'strict-dynamic'; connect-src ${origin} ${origin.replace("http", "ws")}; img-src ${origin} data: blob:; require-trusted-types-for 'script'; trusted-types 'none'`,
    "nonce and our origin": (origin) => `default-src 'none'; script-src 'nonce-abc' ${origin}; style-src 'none'; connect-src ${origin} ${origin.replace("http", "ws")}; img-src ${origin} data: blob:; require-trusted-types-for 'script'; trusted-types 'none'`,
    "our origin alone": (origin) => `default-src 'none'; script-src ${origin}; connect-src ${origin} ${origin.replace("http", "ws")}; img-src ${origin} data: blob:`,
  };
  for (const [name, policy] of Object.entries(cases)) {
    const chat = await visit({}, {
      headers: {}, html: () => "",
    });
    chat.stub.headers = { "Content-Security-Policy": policy(chat.stub.origin) };
    chat.stub.page = () => `<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,"><script async src="${chat.stub.origin}/api/widget.js?key=wk_1" nonce="abc"></script></head><body><h1>Shop</h1></body></html>`;
    await chat.page.goto(`${chat.stub.origin}/page?strict`);
    await chat.open();
    await chat.say("Hello");
    await chat.page.waitForSelector("ocs-chat .ticks.sent");
    await chat.page.click("ocs-chat .composer .tool >> nth=1");
    await chat.page.waitForSelector("ocs-chat .emoji button");
    assert.deepEqual(chat.faults, [], name);
    assert.equal(await chat.page.evaluate(() => document.querySelectorAll("style").length + document.querySelector("ocs-chat").shadowRoot.querySelectorAll("style, [style*=';;']").length), 0);
    await chat.end();
  }
});

test("survives head placement, two tags and swapped bodies", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.evaluate(async (src) => {
    const again = document.createElement("script");
    again.src = src;
    document.head.append(again);
    await new Promise((resolve) => (again.onload = resolve));
    const body = document.createElement("body");
    body.textContent = "another page";
    document.body.replaceWith(body);
    const html = document.documentElement;
    document.querySelector("ocs-chat").remove();
    await new Promise(requestAnimationFrame);
    if (!document.querySelector("ocs-chat")) throw new Error("not back within a frame");
    return html.outerHTML.length;
  }, `${chat.stub.origin}/api/widget.js?key=wk_1`);
  assert.equal(await chat.page.locator("ocs-chat").count(), 1);
  assert.deepEqual(await chat.texts(), ["Hello"]);
  assert.equal(chat.stub.requests.filter(({ method }) => method === "UPGRADE").length, 1);
});

test("three messages written offline go out once, in order, after a reload", async (chat) => {
  await chat.open();
  await chat.say("zero");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  chat.stub.behaviour.down = true;
  chat.stub.cut();
  for (const text of ["one", "two", "three"]) await chat.say(text);
  await chat.page.waitForSelector("ocs-chat .ticks.queued, ocs-chat .ticks.sending");
  await chat.page.reload();
  await chat.open();
  await chat.until(async () => (await chat.texts()).length === 3, "queue after the reload");
  chat.stub.behaviour.down = false;
  await chat.until(() => [...chat.stub.people.values()][0].messages.length === 4, "all sent");
  assert.deepEqual([...chat.stub.people.values()][0].messages.map(({ text }) => text), ["zero", "one", "two", "three"]);
  await chat.until(async () => (await chat.texts()).length === 4);
});

test("the limit: a countdown, nothing dropped", async (chat) => {
  await chat.open();
  await chat.say("one");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  chat.stub.behaviour.limit = 2;
  await chat.say("two");
  await chat.page.waitForSelector("ocs-chat .held");
  assert.match(await chat.page.locator("ocs-chat .held").textContent(), /sending too frequently.*\d second/);
  chat.stub.behaviour.limit = null;
  await chat.until(() => [...chat.stub.people.values()][0].messages.length === 2);
  await chat.page.waitForSelector("ocs-chat .held", { state: "detached" });
});

test("a message that cannot be sent: retry under the same id, or delete", async (chat) => {
  await chat.open();
  chat.stub.behaviour.fail = { status: 413, code: "text_too_long" };
  await chat.say("one");
  await chat.page.waitForSelector("ocs-chat .after.fault");
  await chat.page.click("ocs-chat .after.fault button >> nth=0");
  await chat.until(() => chat.stub.sends.length === 2);
  await chat.page.waitForSelector("ocs-chat .after.fault");
  chat.stub.behaviour.fail = null;
  await chat.page.click("ocs-chat .after.fault button >> nth=0");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  assert.equal(new Set(chat.stub.sends.map(({ client_id }) => client_id)).size, 1);
});

test("another externalId, logout: the old thread leaves at once", async () => {
  const chat = await visit({}, { script: "window.OCS={externalId:'vera',nickname:'Vera'}" });
  await chat.open();
  await chat.until(() => chat.did("start").length === 1, "known visitors start at once");
  await chat.until(async () => /Vera/.test(await chat.page.locator("ocs-chat h2").textContent()));
  await chat.say("secret of Vera");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  const left = await chat.page.evaluate(async () => {
    OCS.externalId = "otto";
    await Promise.resolve(); await Promise.resolve(); await Promise.resolve();
    return document.querySelector("ocs-chat").shadowRoot.querySelectorAll("[data-key]").length;
  });
  assert.equal(left, 0);
  await chat.until(() => chat.did("start").length === 2);
  assert.equal(chat.did("start")[1].order.external_id, "otto");
  await chat.until(async () => (await chat.kept()).owner === "otto");
  await chat.say("of Otto");
  await chat.until(async () => (await chat.texts()).join() === "of Otto");
  await chat.page.evaluate(() => OCS.logout());
  await chat.until(async () => (await chat.texts()).length === 0);
  await chat.until(() => chat.did("logout").length === 1);
  assert.equal((await chat.kept()).token, undefined);
  await chat.end();
});

test("what was just written leaves with its writer, and begins nothing", async () => {
  const chat = await visit({}, { script: "window.OCS={externalId:'vera'}" });
  await chat.open();
  await chat.say("sent");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  const begins = () => chat.page.evaluate(async () => (await navigator.locks.query()).held.some(({ name }) => name.startsWith("ocs:start")));
  await chat.until(async () => !(await begins()), "the turn to begin is free again");
  await chat.page.evaluate(() => {
    OCS.send("just written");
    OCS.logout();
  });
  await chat.until(() => chat.did("logout").length === 1);
  await chat.page.evaluate(() => new Promise((idle) => setTimeout(() => requestIdleCallback(idle), 400)));
  assert.equal(chat.did("start").length, 1);
  assert.equal((await chat.kept()).token, undefined);
  await chat.end();
});

test("identify() from anonymous keeps the thread", async (chat) => {
  await chat.open();
  await chat.say("before");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.evaluate(() => OCS.identify({ externalId: "vera", nickname: "Vera" }));
  await chat.until(() => chat.did("start").length === 2);
  await chat.until(async () => (await chat.kept()).owner === "vera");
  assert.deepEqual(await chat.texts(), ["before"]);
});

test("a token that is no longer good: started anew, nothing lost", async (chat) => {
  await chat.open();
  await chat.say("one");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  chat.stub.people.clear();
  chat.stub.cut();
  await chat.say("two");
  await chat.until(() => [...chat.stub.people.values()][0]?.messages.some(({ text }) => text === "two"), "sent under a new token");
});

test("a site that wants proof says so, once", async () => {
  const chat = await visit({ identity: false }, { script: "window.OCS={externalId:'vera'}" });
  await chat.open();
  await chat.page.waitForSelector("ocs-chat .refused");
  assert.match(await chat.page.locator("ocs-chat .refused").textContent(), /can’t identify you/);
  assert.equal(chat.faults.filter((fault) => fault.includes("[OCS]")).length, 1);
  await chat.end();
});

test("the panel does not come: said, and a way out", async () => {
  const chat = await visit({ panel: false });
  await chat.page.click("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .e a");
  assert.equal(await chat.page.locator("ocs-chat .e a").getAttribute("href"), `${chat.stub.origin}/chat/wk_1`);
  chat.stub.behaviour.panel = true;
  await chat.page.click("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.end();
});

test("no sockets here: the stream, within five seconds", async () => {
  const chat = await visit({ sockets: false });
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.until(() => chat.stub.lines.size === 1, "stream");
  chat.stub.agentSays("over the stream");
  await chat.until(async () => (await chat.texts()).includes("over the stream"));
  await chat.until(() => chat.stub.hints.some(({ type }) => type === "seen"), "hints by POST");
  await chat.end();
});

test("storage blocked: it works and says so", async () => {
  const chat = await visit({}, { init: () => {
    for (const name of ["localStorage", "sessionStorage", "indexedDB"]) Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
    Object.defineProperty(navigator, "cookieEnabled", { get: () => false });
    Object.defineProperty(document, "cookie", { get() { throw new DOMException("blocked", "SecurityError"); }, set() { throw new DOMException("blocked", "SecurityError"); } });
  } });
  await chat.open();
  assert.match(await chat.page.locator("ocs-chat .status").textContent(), /will not be kept/);
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  assert.deepEqual(chat.faults, []);
  await chat.end();
});

test("tabs share one socket; the next takes over; reading in one clears the other", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  const second = await chat.browser.newPage();
  chat.watch(second);
  await second.goto(`${chat.stub.origin}/page?second`);
  await second.click("ocs-chat .b");
  await chat.until(async () => (await second.locator("ocs-chat [data-key]").count()) === 1);
  // Longer than an election takes.
  await second.clock.install();
  await second.clock.runFor(5_000);
  assert.equal(chat.stub.lines.size, 1);
  await chat.page.evaluate(() => OCS.close());
  chat.stub.agentSays("to both");
  await chat.until(async () => (await second.locator("ocs-chat [data-key]").count()) === 2, "follower hears");
  await chat.until(async () => (await chat.page.locator("ocs-chat .n").textContent()) === "", "read in the other tab");
  await chat.page.close();
  await chat.until(() => chat.stub.lines.size === 1, "the other leads");
  chat.stub.agentSays("after");
  await chat.until(async () => (await second.locator("ocs-chat [data-key]").count()) === 3);
});

test("pictures: chosen, looked at, sent, shown full size", async (chat) => {
  await chat.open();
  await chat.page.setInputFiles("ocs-chat input[type=file]", [{ name: "a.png", mimeType: "image/png", buffer: PNG }, { name: "b.png", mimeType: "image/png", buffer: Buffer.from("<svg/>") }]);
  await chat.page.waitForSelector("ocs-chat .tray li img");
  await chat.until(async () => /still WebP/.test(await chat.page.locator("ocs-chat .composer > .fault").textContent()));
  await chat.page.click("ocs-chat .send");
  await chat.page.waitForSelector("ocs-chat .picture img");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  assert.equal(chat.stub.images.size, 1);
  await chat.page.click("ocs-chat .picture > button");
  await chat.page.waitForSelector("ocs-chat .lightbox img");
  await chat.page.keyboard.press("Escape");
  await chat.page.waitForSelector("ocs-chat .lightbox", { state: "detached" });
  assert.ok(await chat.page.locator("ocs-chat .panel.open").count());
});

test("older pages do not move what is read; new ones are counted", async () => {
  const chat = await visit({}, { script: "window.OCS={externalId:'seed'}" });
  const person = chat.stub.person("seed");
  for (let n = 1; n <= 120; n += 1) chat.stub.visitorSaid(`message ${n}`, { person });
  await chat.open();
  await chat.until(async () => (await chat.texts()).length === 50);
  await still(chat.page);
  const top = () => chat.page.evaluate(() => [...document.querySelector("ocs-chat").shadowRoot.querySelectorAll("[data-key]")].find((row) => row.textContent.includes("message 72")).getBoundingClientRect().top);
  await chat.page.evaluate(() => { const log = document.querySelector("ocs-chat").shadowRoot.querySelector(".log"); log.scrollTop = 158; });
  const before = await top();
  await chat.until(async () => (await chat.texts()).length === 100);
  await still(chat.page);
  assert.ok(Math.abs((await top()) - before) <= 1, `moved by ${(await top()) - before}`);
  for (let n = 0; n < 10; n += 1) chat.stub.agentSays(`new ${n}`, { person });
  await chat.until(async () => (await chat.page.locator("ocs-chat .below").textContent().catch(() => "")) === "10 new messages");
  assert.ok(Math.abs((await top()) - before) <= 1);
  await chat.page.click("ocs-chat .below");
  await chat.page.waitForSelector("ocs-chat .below", { state: "detached" });
  await chat.end();
});

test("keyboard: Enter sends, Shift+Enter breaks, Escape gives the focus back, the page's shortcuts hear nothing", async (chat) => {
  await chat.page.evaluate(() => { window.heard = 0; addEventListener("keydown", () => (window.heard += 1)); });
  await chat.page.focus("ocs-chat .b");
  await chat.page.keyboard.press("Enter");
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.until(() => chat.page.evaluate(() => document.querySelector("ocs-chat").shadowRoot.activeElement?.tagName === "TEXTAREA"));
  const before = await chat.page.evaluate(() => window.heard);
  await chat.page.keyboard.type("a");
  await chat.page.keyboard.press("Shift+Enter");
  await chat.page.keyboard.type("b");
  await chat.page.keyboard.press("Enter");
  await chat.until(async () => (await chat.texts()).includes("a\nb"));
  assert.equal(await chat.page.evaluate(() => window.heard), before);
  await chat.page.keyboard.press("Escape");
  await chat.until(() => chat.page.evaluate(() => document.querySelector("ocs-chat").shadowRoot.activeElement?.className === "b"));
});

test("phone: the whole screen, page inert and still, put back after", async () => {
  const chat = await visit({}, { viewport: { width: 390, height: 844 }, hasTouch: true });
  await chat.page.tap("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await still(chat.page);
  const box = await chat.page.locator("ocs-chat .panel").boundingBox();
  assert.deepEqual([box.x, box.y, box.width, box.height], [0, 0, 390, 844]);
  assert.deepEqual(await chat.page.evaluate(() => [document.body.inert, document.querySelector("ocs-chat").shadowRoot.querySelector(".panel").getAttribute("aria-modal")]), [true, "true"]);
  assert.ok(await chat.page.evaluate(() => parseFloat(getComputedStyle(document.querySelector("ocs-chat").shadowRoot.querySelector("textarea")).fontSize) >= 16));
  await chat.page.evaluate(() => OCS.close());
  await chat.until(async () => !(await chat.page.evaluate(() => document.body.inert)));
  await chat.end();
});

test("phone: Back closes what is open, innermost first, and leaves the page's history alone", async () => {
  const chat = await visit({}, { viewport: { width: 390, height: 844 }, hasTouch: true });
  const before = await chat.page.evaluate(() => [history.length, location.href]);
  await chat.page.tap("ocs-chat .b");
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.page.tap("ocs-chat .composer .tool >> nth=1");
  await chat.page.waitForSelector("ocs-chat .emoji button");
  // A browser on a desk asks by Escape what a phone asks by Back; with the focus nowhere no key handler of ours hears it.
  const back = async () => {
    await chat.page.evaluate(() => document.querySelector("ocs-chat").shadowRoot.activeElement?.blur());
    await chat.page.keyboard.press("Escape");
  };
  await back();
  await chat.page.waitForSelector("ocs-chat .emoji", { state: "detached" });
  assert.equal(await chat.page.locator("ocs-chat .panel.open").count(), 1);
  await back();
  await chat.page.waitForSelector("ocs-chat .panel.open", { state: "detached" });
  assert.deepEqual(await chat.page.evaluate(() => [history.length, location.href]), before);
  await chat.end();
});

test("hostile style sheets stay out", async () => {
  const chat = await visit({}, { script: "addEventListener('DOMContentLoaded',()=>{var s=document.createElement('style');s.textContent='*{all:unset!important;font-size:40px!important;display:inline!important}';document.head.append(s)})" });
  await chat.open();
  assert.equal(await chat.page.evaluate(() => getComputedStyle(document.querySelector("ocs-chat").shadowRoot.querySelector(".panel")).fontSize), "15px");
  assert.equal(await chat.page.evaluate(() => getComputedStyle(document.querySelector("ocs-chat")).position), "fixed");
  await chat.end();
});

test("axe finds nothing, closed, open and talking, light and dark, in all variants", async () => {
  for (const variant of ["classic", "minimal", "bubble"]) {
    const chat = await visit({ look: [variant, "bottom-right", "auto", "#facc15", "#14181f", "#facc15", "#14181f"] });
    await chat.page.evaluate(axe);
    const check = async (where) => {
      const { violations } = await chat.page.evaluate(() => axe.run(document));
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, any }) => html.slice(0, 120) + (any[0]?.message ?? "")).join(" | ")}`), [], `${variant} ${where}`);
    };
    await check("closed");
    await chat.open();
    await chat.say("Hello");
    await chat.page.waitForSelector("ocs-chat .ticks.sent");
    chat.stub.agentSays("Look: https://example.com");
    await chat.page.waitForSelector("ocs-chat .agent .bubble a");
    await still(chat.page);
    await check("open, light");
    await chat.page.emulateMedia({ colorScheme: "dark" });
    await still(chat.page);
    await check("open, dark");
    await chat.end();
  }
});

test("destroy leaves nothing, and one may begin again", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await chat.page.evaluate(() => OCS.destroy());
  await chat.until(() => chat.stub.lines.size === 0, "socket closed");
  assert.deepEqual(await chat.page.evaluate(() => [document.querySelectorAll("ocs-chat").length, Object.keys(OCS).filter((name) => typeof OCS[name] === "function").length]), [0, 0]);
});

test("preview: sample messages, another look without a reload, no network", async () => {
  const chat = await visit({ preview: true });
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.until(async () => (await chat.texts()).length === 3);
  await chat.page.evaluate(() => postMessage({ ocs: "preview", look: ["bubble", "bottom-left", "dark", "#0f766e", "#ffffff", "#0f766e", "#ffffff"], welcome: "Ahoy" }, location.origin));
  await chat.page.waitForSelector("ocs-chat .w[data-v=bubble][data-scheme=dark][data-p=bottom-left]", { state: "attached" });
  await chat.say("mine");
  await chat.until(async () => (await chat.texts()).length === 4);
  assert.equal(chat.stub.requests.filter(({ path }) => path.startsWith("/api/widget/") || path === "/api/widget").length, 0);
  await chat.end();
});

test("the full page opens at once and fills the window", async (chat) => {
  await chat.page.goto(`${chat.stub.origin}/chat/wk_page`);
  await chat.page.waitForSelector("ocs-chat .panel.open.full");
  assert.equal((await chat.page.locator("ocs-chat .panel").boundingBox()).height, 800);
});

test("calls made early are made, events are told", async () => {
  const chat = await visit({}, { script: "window.told=[];window.OCS={q:[['on','open',()=>told.push('open')],['on','message',(m)=>told.push(m.text)],['open']],onReady:(o)=>told.push(typeof o.open)}" });
  await chat.page.waitForSelector("ocs-chat .panel.open");
  await chat.page.evaluate(() => OCS.send("by code"));
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  assert.deepEqual((await chat.page.evaluate(() => told)).sort(), ["by code", "function", "open"]);
  await chat.end();
});
