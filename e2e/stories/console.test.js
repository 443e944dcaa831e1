import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippetWith } from '../support/pages.js';
import { password } from '../support/server.js';
import { scene } from '../support/scene.js';

const here = scene();

test('from sign-up to the first reply: create a site, paste the snippet, see that it works, reply', async () => {
  const olga = await here.operator(null, { permissions: ['clipboard-read', 'clipboard-write'] });
  const { page } = olga;
  await page.goto(here.url);
  await page.getByRole('heading', { name: 'Create an account' }).waitFor();
  await page.getByLabel('Your name').fill('Olga');
  await page.getByLabel('E-mail').fill('olga@shop.example');
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByRole('button', { name: 'Create your first site' }).click();
  await page.getByLabel('Name of the website').fill('Northwind Shop');
  await page.getByRole('button', { name: 'Create site' }).click();
  await page.getByText('Waiting for your page').waitFor();
  await page.locator('figure', { has: page.getByRole('region', { name: 'Snippet' }) }).getByRole('button', { name: /copy/i }).click();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const widgetKey = /key=([\w-]+)/.exec(copied)[1];
  assert.equal(copied, snippetWith(here.url, widgetKey), 'the documented one, without its sample visitor');

  const john = await here.visitor();
  await john.visit(here.page({ key: widgetKey }, { head: copied }));
  await page.getByText('The widget works: last seen on').waitFor({ timeout: 5_000 });
  await john.open();
  await john.write('Is this shop open?');
  await page.getByRole('link', { name: 'Inbox' }).click();
  await eventually(async () => assert.equal(await page.title(), '(1) OCS'));
  await olga.turnTo('Is this shop open?');
  await olga.write('It is!');
  await john.reads('It is!');
  await john.page.locator('ocs-chat .who', { hasText: 'Olga' }).waitFor();
  await eventually(async () => assert.equal(await page.title(), 'OCS'));

  await page.goto(`${here.url}/sites`);
  await page.getByRole('link', { name: 'Northwind Shop' }).click();
  await page.getByRole('link', { name: 'API', exact: true }).click();
  await page.getByRole('button', { name: 'New key…' }).click();
  await page.getByRole('button', { name: 'Create key' }).click();
  const key = await page.getByRole('dialog').locator('code').innerText();
  assert.match(key, /^chat_/);
  const answer = await fetch(`${here.url}/api/chat_api.php?action=get_recent_messages&key=${key}`);
  assert.deepEqual((await answer.json()).data.map(({ content }) => content), ['Is this shop open?', 'It is!']);
  assert.deepEqual(olga.seen.faults.filter((fault) => !fault.includes('401')), []);
});

test('an appearance is previewed by the real widget, refused when unreadable, and used on the next page view', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  const { page } = otto;
  await page.goto(`${here.url}/sites/${shop.id}/look`);
  const preview = page.frameLocator('iframe');
  await preview.locator('ocs-chat').getByRole('dialog').first().waitFor();
  await page.getByText('Bubble', { exact: true }).click();
  await preview.locator('ocs-chat .w[data-v=bubble]').waitFor({ state: 'attached' });
  const buttons = page.getByRole('group', { name: 'Buttons and own messages' });
  await buttons.getByLabel('Text', { exact: true }).fill('#2563eb');
  await page.getByRole('button', { name: 'Save' }).click();
  const nearest = page.getByRole('button', { name: /^Use #/ });
  await nearest.waitFor();
  await nearest.click();
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('All changes saved').waitFor();

  const john = await here.visitor();
  await john.visit(here.page(shop));
  assert.equal(await john.page.locator('ocs-chat .w').getAttribute('data-v'), 'bubble');
  await john.open();
});

test('a conversation is closed, found again, and reopened', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Thanks, that is all');
  const otto = await here.operator(shop);
  await otto.turnTo('John Doe');
  await otto.page.getByRole('button', { name: 'Close', exact: true }).click();
  await otto.page.getByRole('button', { name: /^Open/ }).first().click();
  await eventually(async () => assert.equal(await otto.rows.count(), 0));
  await otto.page.getByRole('button', { name: /^Closed/ }).click();
  await otto.turnTo('John Doe');
  await otto.page.getByRole('button', { name: 'Reopen' }).click();
  await otto.write('One more thing');
  await john.reads('One more thing');
  assert.equal((await shop.api.conversations())[0].state, 'open');
});

test('two consoles of one operator agree on what is read', async () => {
  const shop = await here.site();
  const one = await here.operator(shop);
  const two = await here.operator(shop);
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Who sees me?');
  for (const desk of [one, two]) await eventually(async () => assert.equal(await desk.page.title(), '(1) OCS'));
  await one.turnTo('John Doe');
  for (const desk of [one, two]) await eventually(async () => assert.equal(await desk.page.title(), 'OCS'));
});

test('My Sites updates its unread counts live, also for a visitor who writes for the first time', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  await otto.page.getByRole('link', { name: 'My Sites' }).click();
  const chats = otto.page.getByRole('link', { name: /^Open chats/ });
  await eventually(async () => assert.match(await chats.innerText(), /^\s*Open chats\s*$/));
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('One');
  await eventually(async () => assert.match(await chats.innerText(), /\b1\s+unread/));
  await john.write('Two');
  await eventually(async () => assert.match(await chats.innerText(), /\b2\s+unread/));
  await chats.click();
  await otto.turnTo('John Doe');
  await otto.reads('Two');
  await eventually(async () => assert.equal(await otto.page.title(), 'OCS'));
  await otto.page.getByRole('link', { name: 'My Sites' }).click();
  await eventually(async () => assert.match(await chats.innerText(), /^\s*Open chats\s*$/));
});

test('everything by keyboard', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Can you help?');
  const otto = await here.operator(shop);
  const { keyboard } = otto.page;
  await otto.row('John Doe').waitFor();
  await keyboard.press('j');
  await keyboard.press('Enter');
  await otto.reads('Can you help?');
  await otto.composer.waitFor();
  await eventually(async () => assert.equal(await otto.page.evaluate(() => document.activeElement.tagName), 'TEXTAREA'));
  await keyboard.type('Of course');
  await keyboard.press('Enter');
  await john.reads('Of course');
  await keyboard.press('Escape');
  await keyboard.press('e');
  await otto.page.getByText('This conversation is closed').waitFor();
  await keyboard.press('g');
  await keyboard.press('s');
  await otto.page.waitForURL('**/sites');
  await keyboard.press('?');
  await otto.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
});

test('on a phone nothing scrolls sideways, and an operator can reply', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write(`A_long_word_${'without_an_end_'.repeat(12)} https://shop.example/${'path/'.repeat(30)}`);
  const otto = await here.operator(shop, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
  const [{ id }] = await shop.api.conversations();
  for (const path of ['/chat', `/chat/${shop.id}/${id}`, '/sites', ...['', '/look', '/limits', '/security', '/api', '/danger'].map((part) => `/sites/${shop.id}${part}`), '/team', '/team/activity', '/team/workspace', '/account']) {
    await otto.page.goto(here.url + path, { waitUntil: 'networkidle' });
    const over = await otto.page.evaluate(() => ({
      page: document.documentElement.scrollWidth - innerWidth,
      inside: [...document.querySelectorAll('main *')].filter((element) => element.getBoundingClientRect().right > innerWidth + 1 && !element.closest('pre, nav, iframe')).slice(0, 3).map((element) => `${element.tagName}.${element.className}`),
    }));
    assert.deepEqual({ path, ...over }, { path, page: 0, inside: [] });
  }
  await otto.page.goto(`${here.url}/chat/${shop.id}/${id}`);
  await otto.write('From my phone');
  await john.reads('From my phone');
});

test("on a visitor's phone the chat fills the screen, and closing it shows the page again", async () => {
  const shop = await here.site();
  const john = await here.visitor({ viewport: { width: 375, height: 700 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
  await john.visit(here.page(shop));
  await john.launcher.tap();
  await john.composer.waitFor();
  await eventually(async () => {
    const box = await john.page.locator('ocs-chat .panel').boundingBox();
    assert.deepEqual([box.x, box.y, box.width, box.height].map(Math.round), [0, 0, 375, 700]);
  });
  assert.ok(parseFloat(await john.composer.evaluate((field) => getComputedStyle(field).fontSize)) >= 16, 'no zoom at focus');
  await john.write('From the bus');
  await john.sent();
  await john.page.locator('ocs-chat').getByRole('button', { name: 'Minimise chat' }).tap();
  await john.launcher.waitFor();
});

test('focus depends on the last input, not on what the device claims to be', async () => {
  const shop = await here.site();
  const device = { hasTouch: true, isMobile: true };
  const john = await here.visitor(device);
  await john.visit(here.page(shop));
  const focusedIn = (writer) => eventually(async () => assert.equal(await writer.composer.evaluate((field) => field === field.getRootNode().activeElement), true));
  await john.launcher.focus();
  await john.page.keyboard.press('Shift+Tab');
  await john.page.keyboard.press('Tab');
  await john.page.keyboard.press('Enter');
  await focusedIn(john);
  await john.write('Hello');

  const otto = await here.operator(shop, device);
  await otto.row('John Doe').first().waitFor();
  await otto.page.keyboard.press('j');
  await otto.page.keyboard.press('Enter');
  await otto.composer.waitFor();
  await focusedIn(otto);

  await otto.page.goto(`${here.url}/chat`);
  await otto.row('John Doe').first().tap();
  await otto.composer.waitFor();
  await eventually(async () => assert.equal(await otto.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Conversation'));
});
