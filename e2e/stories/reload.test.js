import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();

/** The visitor writes and closes the chat, then gets a reply. Returns the conversation. */
async function answeredLater(shop, visitor) {
  await visitor.open();
  await visitor.write('Tell me later');
  await visitor.sent();
  await visitor.page.keyboard.press('Escape');
  const [{ id }] = await shop.api.conversations();
  await shop.api.reply(shop.id, id, 'answer-1', 'Later is now');
  return id;
}

test('history survives reloads, other pages and a closed browser window', async () => {
  const shop = await here.site();
  const anna = await here.visitor();
  const head = snippetWith(here.url, shop.key);
  await anna.visit(here.page(shop, { head }));
  await anna.open();
  await anna.write('One', 'Two');
  const otto = await here.operator(shop);
  await otto.row('Two').click();
  await otto.write('Three');
  await anna.hasTexts(['One', 'Two', 'Three']);

  await anna.page.reload();
  await anna.open();
  await anna.hasTexts(['One', 'Two', 'Three']);

  await anna.visit(here.page(shop, { head, title: 'Another page' }));
  await anna.open();
  await anna.hasTexts(['One', 'Two', 'Three']);
  await anna.write('Four');
  await otto.hasTexts(['One', 'Two', 'Three', 'Four']);

  const later = await here.visitor({ in: anna });
  await anna.page.close();
  await later.visit(here.page(shop, { head }));
  await later.open();
  await later.hasTexts(['One', 'Two', 'Three', 'Four']);
  assert.equal((await shop.api.conversations()).length, 1, 'one visitor, one conversation');
  assert.deepEqual(later.seen.faults, []);
});

test('the unread count is there after a reload, before the chat is opened', async () => {
  const shop = await here.site();
  const anna = await here.visitor();
  await anna.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await answeredLater(shop, anna);
  const badge = anna.page.locator('ocs-chat .b .n');
  await eventually(async () => assert.equal(await badge.innerText(), '1'));
  await anna.page.reload();
  await eventually(async () => assert.equal(await badge.innerText(), '1'));
});

test('a reply that arrived while the connection was being opened is unread once', async () => {
  const shop = await here.site();
  const anna = await here.visitor();
  let open;
  const opened = new Promise((go) => (open = go));
  // The connection is delayed: the conversation snapshot then already counts the reply whose event follows.
  await anna.page.routeWebSocket('**/api/widget/socket', (socket) => {
    const server = socket.connectToServer();
    socket.onMessage((frame) => void opened.then(() => server.send(frame)));
  });
  await anna.visit(here.page(shop));
  const id = await answeredLater(shop, anna);
  open();
  const badge = anna.page.locator('ocs-chat .b .n');
  await eventually(async () => assert.notEqual(await badge.innerText(), ''));
  await anna.reads('Later is now', { state: 'attached' });
  assert.equal(await badge.innerText(), '1');
  await shop.api.reply(shop.id, id, 'answer-2', 'And later still');
  await eventually(async () => assert.equal(await badge.innerText(), '2'));
});

test('messages that this browser counted as unread are no longer unread once read elsewhere', async () => {
  const shop = await here.site();
  const anna = await here.visitor();
  await anna.visit(here.page(shop));
  await anna.open();
  await anna.write('Hello');
  await anna.sent();
  // As if a reply had arrived in this browser and then been read in another one.
  await anna.page.evaluate((key) => {
    const entry = `ocs:${key}`;
    localStorage.setItem(entry, JSON.stringify({ ...JSON.parse(localStorage.getItem(entry)), unread: 3 }));
  }, shop.key);
  await anna.page.reload();
  const badge = anna.page.locator('ocs-chat .b .n');
  await anna.launcher.waitFor();
  await eventually(async () => assert.equal(await badge.innerText(), ''));
});

test('a draft is still there after a reload', async () => {
  const shop = await here.site();
  const anna = await here.visitor();
  await anna.visit(here.page(shop));
  await anna.open();
  await anna.composer.fill('Half a sentence');
  await anna.page.reload();
  await anna.open();
  assert.equal(await anna.composer.inputValue(), 'Half a sentence');
});

test('older pages of history load while scrolling up, every message once and in order', async () => {
  const shop = await here.site({ limits: { messages_per_minute: 600, api_per_minute: 6000, image_bytes: 5_242_880 } });
  const anna = await here.visitor();
  await anna.visit(here.page(shop));
  await anna.open();
  await anna.write('Line 1');
  await anna.sent();
  const [{ id }] = await shop.api.conversations();
  for (let n = 2; n <= 120; n++) await shop.api.reply(shop.id, id, `line-${n}`, `Line ${n}`);
  await anna.page.reload();
  await anna.open();
  await anna.reads('Line 120');
  const log = anna.page.locator('ocs-chat [role=log]');
  await eventually(async () => {
    await log.evaluate((element) => (element.scrollTop = 0));
    assert.equal((await anna.texts())[0], 'Line 1');
  });
  await anna.hasTexts(Array.from({ length: 120 }, (_, at) => `Line ${at + 1}`));
});
