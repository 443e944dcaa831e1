import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();
/** Makes every back-off delay as long as possible. */
const longestBackoff = 'Math.random = () => 0.999;';

test('an operator sees which page of a single-page app a visitor is on, and since when, also after reloading the console', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await vera.open();
  await vera.write('Hello');
  await vera.sent();
  const otto = await here.operator(shop);
  await otto.row('Hello').click();
  const details = otto.page.getByLabel('Visitor details');
  await details.getByText('Northwind Shop').first().waitFor();
  await vera.page.evaluate(() => {
    history.pushState({}, '', '/chairs');
    document.title = 'Chairs';
  });
  const began = Date.now();
  await details.getByText('Chairs', { exact: true }).waitFor();
  assert.ok(Date.now() - began < 2_000, `${Date.now() - began} ms`);
  await details.getByText('/chairs').waitFor();
  await details.getByText(/Opened just now/).waitFor();
  await otto.page.reload();
  await details.getByText('Chairs', { exact: true }).waitFor();
  assert.equal(await vera.page.evaluate(() => history.pushState.toString().includes('[native code]')), true);
});

test('a browser that asks for privacy reports no pages', async () => {
  const shop = await here.site();
  const vera = await here.visitor({ init: "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })" });
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await vera.open();
  await vera.write('Hello');
  await vera.sent();
  await vera.page.evaluate(() => history.pushState({}, '', '/secret'));
  await vera.write('Still here');
  await vera.sent();
  const [{ visitor }] = await shop.api.conversations();
  assert.equal(visitor.page, null);
});

test('the first message is on the screen in the next frame, however slow the network is', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  // Everything except the panel itself is delayed.
  await vera.page.route('**/widget/talk-*', async (route) => {
    await new Promise((later) => setTimeout(later, 1_600));
    await route.continue();
  });
  await vera.open();
  await vera.composer.fill('Is anybody there?');
  const shown = await vera.composer.evaluate(async (field) => {
    const began = performance.now();
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
    await new Promise((frame) => requestAnimationFrame(frame));
    const bubble = field.getRootNode().querySelector('[role=log] [role=article] .bubble');
    return { text: bubble?.textContent, ms: performance.now() - began };
  });
  assert.equal(shown.text, 'Is anybody there?');
  console.log(`      own bubble after ${shown.ms.toFixed(1)} ms`);
  await vera.sent();
  assert.deepEqual(await vera.texts(), ['Is anybody there?']);
});

test('with localStorage full the thread survives a reload', async () => {
  const shop = await here.site();
  const full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError') };";
  const vera = await here.visitor({ init: full });
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await vera.open();
  await vera.write('Remember me');
  await vera.sent();
  await vera.page.reload();
  await vera.open();
  await vera.hasTexts(['Remember me']);
  assert.equal((await shop.api.conversations()).length, 1);
});

test('where the API is blocked the chat says so and links to the full-page chat instead of connecting for ever', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.page.route(/\/api\/widget(?!\.js)/, (route) => route.abort());
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await vera.open();
  const way = vera.status.getByRole('link', { name: 'Open it in a new page' });
  await way.waitFor();
  assert.equal(await way.getAttribute('href'), `${here.url}/chat/${shop.key}`);
  await vera.page.unroute(/\/api\/widget(?!\.js)/);
  await way.waitFor({ state: 'detached' });
});

test('no invalid optional field prevents the chat, and one line in the browser console names the corrected fields', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  const head = `<script>
    const circular = {}; circular.self = circular;
    const attributes = { plan: 'x'.repeat(3000), age: 41, tags: ['a', 'b'], circular, half: 'a\\ud83d', get broken() { throw new Error('no') } };
    for (let n = 0; n < 60; n += 1) attributes['many' + n] = n;
    window.OCS = { externalId: 'user_7', email: 'john at shop', nickname: 'N'.repeat(200), locale: 'nonsense!', attributes };
    document.title = 'T'.repeat(70000);
    history.replaceState({}, '', location.pathname + '#' + 'x'.repeat(70000));
  </script>${snippetWith(here.url, shop.key)}`;
  await vera.visit(here.page(shop, { head }));
  await vera.open();
  await vera.write('Hello');
  await vera.sent();
  const [{ visitor }] = await shop.api.conversations();
  assert.equal(visitor.nickname, 'N'.repeat(64));
  assert.equal(visitor.attributes.plan, 'x'.repeat(256));
  assert.equal(visitor.attributes.tags, '["a","b"]');
  assert.equal(visitor.attributes.half, 'a\ufffd');
  const lines = vera.seen.warnings.filter((line) => line.includes('[OCS]'));
  assert.equal(lines.length, 1, lines.join('\n'));
  for (const field of ['email', 'nickname', 'attributes.plan', 'attributes.circular', 'attributes.broken']) assert.ok(lines[0].includes(field), `${field}: ${lines[0]}`);
});

test('an id that is too long is refused with an explanation on the screen and in the browser console', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key, { externalId: 'x'.repeat(300) }) }));
  await vera.launcher.click();
  const refused = vera.page.locator('ocs-chat .refused');
  await refused.getByText('We can’t identify you').waitFor();
  assert.equal(await refused.getByText('sign in').count(), 0, 'signing in would not help');
  const lines = vera.seen.warnings.filter((line) => line.includes('[OCS]'));
  assert.equal(lines.length, 1, lines.join('\n'));
  assert.match(lines[0], /external_id.*128 bytes/);
});

test('after the server was down, the first successful request ends the back-off on both sides', async () => {
  const shop = await here.site();
  const vera = await here.visitor({ init: longestBackoff });
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await vera.open();
  await vera.write('Hello');
  await vera.sent();
  const otto = await here.operator(shop);
  await otto.page.addInitScript(longestBackoff);
  await otto.page.reload();
  await otto.row('Hello').click();
  await otto.composer.waitFor();
  await otto.page.evaluate(longestBackoff);
  await here.server.stop();
  await otto.page.getByText('No connection.').waitFor();
  await vera.status.getByText('Connecting…').waitFor();
  // Long enough for back-off delays of more than ten seconds.
  await vera.status.getByText('Still no connection').waitFor();
  await here.server.up();
  const began = Date.now();
  await otto.write('Back again');
  await otto.page.getByText('No connection.').waitFor({ state: 'detached', timeout: 5_000 });
  await vera.write('Me too');
  await vera.status.getByText('Still no connection').waitFor({ state: 'detached', timeout: 5_000 });
  await otto.reads('Me too', { timeout: 5_000 });
  console.log(`      both back after ${Date.now() - began} ms`);
  await eventually(async () => assert.ok((await vera.texts()).includes('Back again')), 5_000);
});
