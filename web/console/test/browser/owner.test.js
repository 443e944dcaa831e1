// An owner's first hours: the first account, the snippet, and a day at the inbox.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { sendMessage, startConversation, createData } from '../stub/data.js';
import { serve } from '../stub/serve.js';
import { openBrowser, openPage, signIn } from './browser.js';

let browser;
before(async () => void (browser = await openBrowser()));
after(() => browser.close());

/** A separate server, stopped at the end of the test. */
async function serverOf(t, options) {
  const server = await serve(options);
  t.after(() => server.stop());
  return server;
}

async function pageOf(t, server, options) {
  const page = await openPage(browser, server.url, options);
  t.after(() => page.context().close());
  return page;
}

test('on a server without accounts the first page creates one, then asks for a site', async (t) => {
  const world = Object.assign(createData({ empty: true }), { nobody: true });
  const page = await pageOf(t, await serverOf(t, { world }));
  await page.goto('/');
  await page.waitForURL('**/signup**');
  await page.getByRole('heading', { name: 'Create an account' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Sign in' }).count(), 0, 'nobody can');
  await page.getByLabel('E-mail').fill('olga@example.com');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sites');
  await page.getByRole('button', { name: 'Create your first site' }).waitFor();
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.waitForURL('**/login');
  assert.deepEqual(page.faults.filter((fault) => !/401/.test(fault)), []);
});

test('the code to copy is correct for every page as it is', async (t) => {
  const server = await serverOf(t);
  const page = await pageOf(t, server);
  await signIn(page);
  await page.goto(`/sites/${server.world.sites[0].id}`);
  await page.locator('pre').first().waitFor();
  const printed = await page.locator('pre').allInnerTexts();
  const key = server.world.sites[0].widget_key;
  assert.ok(printed[0].startsWith('<script>(function(){') && printed[0].includes(`/api/widget.js?key=${key}`), printed[0]);
  const doing = printed.flatMap((text) => text.split('\n')).filter((line) => /window\.OCS|externalId|nickname/.test(line));
  assert.deepEqual(doing.filter((line) => !line.startsWith('//')), []);
  assert.equal(doing.length, 1, 'shown apart, commented out');
  assert.ok(!/user_12345|John Doe/.test(await page.locator('body').innerText()));
});

test('a site whose visitors all have the same id shows a warning on every page, with how to fix it', async (t) => {
  const server = await serverOf(t);
  const [shop] = server.world.sites;
  shop.same_external_id = { external_id: 'user_12345', sample: true, at: Date.now() - 60_000 };
  const page = await pageOf(t, server);
  await signIn(page);
  for (const path of ['/chat', '/sites', '/account']) {
    await page.goto(path);
    const banner = page.getByRole('status').filter({ hasText: 'Northwind Shop' });
    await banner.getByText('user_12345').waitFor();
    assert.match(await banner.innerText(), /same ID/);
  }
  await page.getByRole('link', { name: 'How to fix this' }).click();
  await page.waitForURL(`**/sites/${shop.id}`);
  await page.getByText('Remove the line with').waitFor();
  // Fixed: the console learns of it with the next conversation.
  shop.same_external_id = null;
  sendMessage(server.world, startConversation(server.world, shop, { nickname: 'Wim' }), 'visitor', 'Hello');
  await page.getByText('user_12345').waitFor({ state: 'detached' });
});

test('after E, J continues from where the closed conversation was', async (t) => {
  const world = createData({ empty: false });
  const server = await serverOf(t, { world });
  const shop = world.sites[0];
  for (let n = 1; n <= 6; n++) sendMessage(world, startConversation(world, shop, { nickname: `Visitor number ${n}` }), 'visitor', 'Hello', { at: Date.now() + n * 1000 });
  const page = await pageOf(t, server);
  await signIn(page);
  await page.getByText('Visitor number 3').waitFor();
  for (let n = 0; n < 3; n++) await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Close', exact: true }).waitFor();
  const at = (name) => page.waitForFunction((wanted) => document.activeElement?.innerText.includes(wanted), name);
  const open = await page.locator('header .who').innerText();
  const number = Number(/number (\d)/.exec(open)[1]);
  // Leaves the reply field, which has the focus now.
  await page.locator('main').focus();
  await page.keyboard.press('e');
  await page.getByRole('button', { name: 'Reopen' }).waitFor();
  await page.keyboard.press('j');
  await at(`Visitor number ${number - 1}`);
  await page.keyboard.press('k');
  await at(`Visitor number ${number + 1}`);
});

test('the tab counts follow the site filter', async (t) => {
  const server = await serverOf(t);
  const [shop, docs] = server.world.sites;
  const page = await pageOf(t, server);
  await signIn(page);
  const count = (tab) => page.getByRole('group', { name: 'Show' }).getByRole('button', { name: tab }).locator('span');
  const unread = (site) => server.world.conversations.filter((c) => c.site_id === site.id && c.unread > 0).length;
  await page.getByLabel('Site', { exact: true }).selectOption({ label: docs.name });
  await count('Unread').getByText(String(unread(docs)), { exact: true }).waitFor();
  sendMessage(server.world, startConversation(server.world, docs, { nickname: 'Wim' }), 'visitor', 'Hello');
  await count('Unread').getByText(String(unread(docs)), { exact: true }).waitFor();
  await page.getByLabel('Site', { exact: true }).selectOption({ label: shop.name });
  await count('Unread').getByText(String(unread(shop)), { exact: true }).waitFor();
  assert.match(await page.title(), new RegExp(`^\\(${unread(shop) + unread(docs)}\\)`));
});

test('a long activity log has no accessibility violations', async (t) => {
  const server = await serverOf(t);
  server.world.auditLines = 60;
  const page = await pageOf(t, server);
  await signIn(page);
  await page.goto('/account');
  await page.getByText('Account created').nth(59).waitFor();
  const context = await page.context().newCDPSession(page);
  await context.send('Runtime.evaluate', { expression: await readFile(createRequire(import.meta.url).resolve('axe-core'), 'utf8') });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target).join(' ')}`), []);
});

test('a toast covers neither the header nor the reply field', async (t) => {
  for (const size of [{ width: 1280, height: 800 }, { width: 390, height: 844, phone: true }]) {
    const server = await serverOf(t);
    const page = await pageOf(t, server, size);
    await signIn(page);
    const talk = server.world.conversations[1];
    await page.goto(`/chat/${talk.site_id}/${talk.id}`);
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    const toast = await page.locator('.toast').first().boundingBox();
    for (const part of ['section[aria-label=Conversation] > header', 'section[aria-label=Conversation] textarea']) {
      const box = await page.locator(part).boundingBox();
      const apart = toast.y >= box.y + box.height || toast.y + toast.height <= box.y || toast.x >= box.x + box.width || toast.x + toast.width <= box.x;
      assert.ok(apart, `${part} at ${size.width} px: ${JSON.stringify({ toast, box })}`);
    }
  }
});

test('on a wide screen a conversation keeps a readable line width', async (t) => {
  const server = await serverOf(t);
  const page = await pageOf(t, server, { width: 1920, height: 1000 });
  await signIn(page);
  const talk = server.world.conversations[0];
  await page.goto(`/chat/${talk.site_id}/${talk.id}`);
  const rows = page.locator('article');
  await rows.first().waitFor();
  const width = await rows.first().evaluate((row) => row.getBoundingClientRect().width);
  assert.ok(width <= 960, `${width} px`);
});

test('the console reports whether somebody can see a chat on it', async (t) => {
  const server = await serverOf(t);
  const { world } = server;
  const page = await pageOf(t, server);
  await signIn(page);
  const hide = (hidden) => page.evaluate((hidden) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (hidden ? 'hidden' : 'visible') });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  const last = () => (world.hints ?? []).filter((hint) => hint.type === 'present').at(-1)?.present;
  const said = async (wanted) => {
    for (const end = Date.now() + 5000; last() !== wanted && Date.now() < end; ) await page.evaluate(() => new Promise(requestAnimationFrame));
    assert.equal(last(), wanted);
  };
  await said(true);
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByRole('heading', { name: 'Account', exact: true }).waitFor();
  await hide(true);
  await said(false);
  await hide(false);
  await said(true);
  // A hidden inbox still counts as present for a while, because it plays sounds.
  await page.getByRole('link', { name: 'Inbox' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  const before = world.hints.length;
  await hide(true);
  server.cut();
  for (const end = Date.now() + 8000; world.hellos.length < 2 && Date.now() < end; ) await page.evaluate(() => new Promise((next) => setTimeout(next)));
  assert.equal(world.hellos.at(-1).present, true, JSON.stringify(world.hints.slice(before)));
});
