import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippet, snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';
import { settled } from '../support/weight.js';

const here = scene();
const ours = (visitor) => visitor.seen.requests.filter((request) => request.includes(here.url));

test('a page view costs one request and one global; it stores nothing, opens no connection and shifts no layout', async () => {
  const shop = await here.site();
  const before = () => {
    window.globalsBefore = new Set(Object.getOwnPropertyNames(window));
    window.kept = [history.pushState, history.replaceState, window.onmessage, window.fetch, EventTarget.prototype.addEventListener];
    window.shift = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value))).observe({ type: 'layout-shift', buffered: true });
  };
  const john = await here.visitor({ init: before });
  const sockets = [];
  john.page.on('websocket', (socket) => sockets.push(socket.url()));
  await john.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await settled(john.page);
  assert.deepEqual(ours(john), [`GET ${here.url}/api/widget.js?key=${shop.key}`]);
  const found = await john.page.evaluate(async () => ({
    globals: Object.getOwnPropertyNames(window).filter((name) => !window.globalsBefore.has(name) && !['globalsBefore', 'kept', 'shift'].includes(name)),
    patched: [history.pushState, history.replaceState, window.onmessage, window.fetch, EventTarget.prototype.addEventListener].some((value, at) => value !== window.kept[at]),
    stored: [localStorage.length, sessionStorage.length, document.cookie, (await indexedDB.databases()).length],
    shift: window.shift,
    inBody: document.querySelectorAll('body ocs-chat, body style, head style').length,
  }));
  assert.deepEqual(found, { globals: ['OCS'], patched: false, stored: [0, 0, '', 0], shift: 0, inBody: 0 });
  assert.deepEqual(sockets, []);
  assert.deepEqual(await john.context.cookies(), []);

  await john.open();
  await settled(john.page);
  assert.deepEqual(sockets, [], 'a stranger who only looks has no connection');
  assert.equal(await john.page.evaluate(() => localStorage.length), 0, 'and nothing stored');
  await john.write('Now');
  await john.sent();
  await john.page.keyboard.press('Escape');
  assert.equal(await john.page.evaluate(() => window.shift), 0);
  assert.deepEqual(john.seen.faults, []);
});

test('hovering over the launcher loads the panel; the click then needs only API requests', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.launcher.hover();
  await eventually(() => assert.equal(ours(john).filter((request) => request.endsWith('.js')).length, 1));
  await settled(john.page);
  const warmed = ours(john).length;
  await john.open();
  assert.ok(ours(john).slice(warmed).every((request) => /\/api\/widget|\/talk-/.test(request)), ours(john).slice(warmed).join('\n'));
});

test('a second snippet changes nothing', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop, { head: snippet(here.url, shop.key), body: `<p>Twice</p>${snippetWith(here.url, shop.key)}` }));
  await settled(john.page);
  assert.equal(await john.page.locator('ocs-chat').count(), 1);
  await john.open();
  await john.write('Once');
  await john.hasTexts(['Once']);
  assert.deepEqual(john.seen.faults, []);
});

test('the chat survives a swap of the body, as Turbo does it', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Stay');
  await john.composer.fill('a draft');
  await john.page.evaluate(() => {
    const body = document.createElement('body');
    body.innerHTML = '<h1>Next page</h1>';
    document.documentElement.replaceChild(body, document.body);
    history.pushState({}, '', '?next');
  });
  await john.hasTexts(['Stay']);
  assert.equal(await john.composer.inputValue(), 'a draft');
  assert.equal(await john.page.locator('ocs-chat').count(), 1);
});

test('destroy removes everything, and the page can load the chat again', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  const title = await john.page.title();
  await john.open();
  await john.write('Bye');
  await john.sent();
  const sockets = [];
  john.page.on('websocket', (socket) => sockets.push(socket));
  const left = await john.page.evaluate(() => {
    window.OCS.destroy();
    return { elements: document.querySelectorAll('ocs-chat').length, methods: Object.values(window.OCS).filter((value) => typeof value === 'function').length, inert: document.body.inert };
  });
  assert.deepEqual(left, { elements: 0, methods: 0, inert: false });
  assert.equal(await john.page.title(), title);
  const asked = ours(john).length;
  await settled(john.page);
  assert.equal(ours(john).length, asked);
  assert.deepEqual(sockets, []);
  await john.page.evaluate(([url, key]) => {
    const script = document.createElement('script');
    script.src = `${url}/api/widget.js?key=${key}`;
    document.head.append(script);
  }, [here.url, shop.key]);
  await john.launcher.waitFor();
  await john.open();
  await john.hasTexts(['Bye']);
  assert.deepEqual(john.seen.faults, []);
});

test('back brings the page from memory, and the chat goes on', async () => {
  const shop = await here.site();
  const john = await here.visitor({ init: () => addEventListener('pageshow', ({ persisted }) => (window.fromMemory = persisted)) });
  const url = here.page(shop);
  await john.visit(url);
  await john.open();
  await john.write('Wait for me');
  await john.sent();
  const [{ id }] = await shop.api.conversations();
  await john.page.goto(here.website.put('/elsewhere', '', { body: '<p>Elsewhere</p>' }));
  await shop.api.reply(shop.id, id, 'r1', 'Said while you were away');
  await john.page.goBack({ waitUntil: 'commit' });
  await john.hasTexts(['Wait for me', 'Said while you were away']);
  assert.equal(await john.page.evaluate(() => window.fromMemory), true);
});

test('hostile page styles do not affect the chat, and the chat adds no styles to the page', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop, { head: `<style>* { all: unset !important; font-size: 40px !important; display: block !important }</style>${snippet(here.url, shop.key)}` }));
  await john.open();
  const size = await john.composer.evaluate((field) => parseFloat(getComputedStyle(field).fontSize));
  assert.ok(size >= 14 && size <= 18, `${size}`);
  assert.equal(await john.launcher.evaluate((button) => getComputedStyle(button.parentElement.getRootNode().host).display !== 'none'), true);
});

test('the site controls the chat through window.OCS', async () => {
  const shop = await here.site();
  const head = `<script>window.OCS = { externalId: 'vera-1', nickname: 'Vera', attributes: { plan: 'gold' }, q: [['open']], onReady: (ocs) => { window.told = ['ready']; for (const name of ['open', 'close', 'message', 'unread', 'identity']) ocs.on(name, (value) => window.told.push([name, value?.text ?? value?.externalId ?? value ?? null])); } };</script>${snippetWith(here.url, shop.key)}`;
  const vera = await here.visitor();
  await vera.visit(here.page(shop, { head }));
  await vera.composer.waitFor();
  await vera.page.evaluate(() => window.OCS.send('Sent by the page'));
  await vera.sent();
  const [conversation] = await shop.api.conversations();
  assert.deepEqual(conversation.visitor.attributes, { plan: 'gold' });
  await vera.page.evaluate(() => window.OCS.close());
  await shop.api.reply(shop.id, conversation.id, 'r1', 'Hello');
  await eventually(async () => {
    const told = await vera.page.evaluate(() => window.told);
    for (const expected of [['identity', 'vera-1'], ['message', 'Sent by the page'], ['close', null], ['message', 'Hello'], ['unread', 1]]) {
      assert.ok(told.some((one) => JSON.stringify(one) === JSON.stringify(expected)), `${JSON.stringify(expected)} in ${JSON.stringify(told)}`);
    }
  });
  await vera.page.evaluate(() => window.OCS.hide());
  assert.equal(await vera.launcher.isVisible(), false);
  await vera.page.evaluate(() => window.OCS.show());
  assert.equal(await vera.launcher.isVisible(), true);
});
