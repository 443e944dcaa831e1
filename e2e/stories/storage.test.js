import assert from 'node:assert/strict';
import { test } from 'node:test';
import { snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();

const blockStorage = () => {
  const refuse = () => { throw new DOMException('blocked', 'SecurityError'); };
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) Object.defineProperty(window, name, { get: refuse, configurable: true });
};
const blockCookies = () => {
  Object.defineProperty(Document.prototype, 'cookie', { get() { throw new DOMException('blocked', 'SecurityError'); }, set() { throw new DOMException('blocked', 'SecurityError'); } });
  Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => false });
};

test('with all storage blocked the chat works until the page is left, and says so', async () => {
  const shop = await here.site();
  const anna = await here.visitor({ init: `(${blockStorage})();(${blockCookies})()` });
  await anna.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await anna.open();
  await anna.write('Nothing is kept here');
  await anna.page.locator('ocs-chat').getByText('history will not be kept').waitFor();
  const otto = await here.operator(shop);
  await otto.row('Nothing is kept here').click();
  await otto.write('Never mind');
  await anna.hasTexts(['Nothing is kept here', 'Never mind']);
  await anna.lastTick('Read');
  assert.deepEqual(anna.seen.faults, []);
});

test('with storage blocked and cookies allowed the visitor stays the same across a reload', async () => {
  const shop = await here.site();
  const anna = await here.visitor({ init: `(${blockStorage})()` });
  const url = here.page(shop, { head: snippetWith(here.url, shop.key) });
  await anna.visit(url);
  await anna.open();
  await anna.write('Before');
  await anna.sent();
  await anna.page.reload();
  await anna.open();
  await anna.write('After');
  await anna.sent();
  const visitors = (await shop.api.conversations()).map(({ visitor }) => visitor.external_id);
  assert.equal(new Set(visitors).size, 1);
  assert.match(visitors[0], /^v_/);
  assert.deepEqual(anna.seen.faults, []);
});
