import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axeSource } from '../support/packages.js';
import { png } from '../support/pictures.js';
import { scene } from '../support/scene.js';

const here = scene();

/** The violations that axe-core finds. It is injected through the debugger, which the page's Content-Security-Policy does not affect. */
async function faultsOf(page, within = 'document') {
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => {}))));
  const debug = await page.context().newCDPSession(page);
  await debug.send('Runtime.evaluate', { expression: await axeSource() });
  const violations = await page.evaluate(async (within) => {
    const target = within === 'document' ? document : document.querySelector(within);
    return (await globalThis.axe.run(target, { iframes: false, resultTypes: ['violations'] })).violations;
  }, within);
  await debug.detach();
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.target.join(' ')} (${node.failureSummary.split('\n').slice(1).join(';').trim()})`).join(' | ')}`);
}

for (const colorScheme of ['light', 'dark']) {
  for (const variant of ['classic', 'minimal', 'bubble']) {
    test(`the widget has no accessibility violations, open and closed: ${variant}, ${colorScheme}`, async () => {
      const shop = await here.site();
      const { look } = await shop.api.request('GET', `sites/${shop.id}`);
      await shop.api.configure(shop.id, { look: { ...look, variant } });
      const john = await here.visitor({ colorScheme });
      await john.visit(here.page(shop, { body: '<main><h1>Northwind Shop</h1></main>' }));
      const found = { closed: await faultsOf(john.page, 'ocs-chat') };
      await john.open();
      found.greeted = await faultsOf(john.page, 'ocs-chat');
      await john.write('Hello https://shop.example/lamps');
      await john.sent();
      const chat = john.page.locator('ocs-chat');
      await john.choose({ name: 'lamp.png', mimeType: 'image/png', buffer: png(200, 150) });
      found.picked = await faultsOf(john.page, 'ocs-chat');
      await chat.getByRole('button', { name: 'Send', exact: true }).click();
      const [{ id }] = await shop.api.conversations();
      await shop.api.reply(shop.id, id, 'r1', 'Good day!');
      await john.reads('Good day!');
      found.talking = await faultsOf(john.page, 'ocs-chat');
      await chat.getByRole('button', { name: 'Emoji' }).click();
      await chat.getByLabel('Search emoji').waitFor();
      found.emoji = await faultsOf(john.page, 'ocs-chat');
      assert.deepEqual(Object.entries(found).filter(([, faults]) => faults.length > 0), []);
    });
  }

  test(`the console has no accessibility violations: ${colorScheme}`, async () => {
    const shop = await here.site();
    const john = await here.visitor();
    await john.visit(here.page(shop));
    await john.open();
    await john.write('Hello');
    await john.sent();
    const [{ id }] = await shop.api.conversations();
    await shop.api.reply(shop.id, id, 'r1', 'Good day!');
    const otto = await here.operator(null, { colorScheme });
    const found = {};
    for (const path of ['/login', '/signup']) {
      await otto.page.goto(here.url + path);
      await otto.page.locator('form').waitFor();
      found[path] = await faultsOf(otto.page);
    }
    await otto.signIn(shop.owner);
    for (const path of ['/chat', `/chat/${shop.id}/${id}`, '/sites', ...['', '/look', '/limits', '/security', '/api', '/danger'].map((part) => `/sites/${shop.id}${part}`), '/team', '/team/activity', '/team/workspace', '/account']) {
      await otto.page.goto(here.url + path, { waitUntil: 'networkidle' });
      found[path] = await faultsOf(otto.page);
    }
    await otto.page.goto(`${here.url}/chat/${shop.id}/${id}`);
    await otto.choose({ name: 'lamp.png', mimeType: 'image/png', buffer: png(200, 150) });
    await otto.page.getByRole('button', { name: 'Emoji' }).click();
    await otto.page.getByLabel('Search emoji').waitFor();
    found.composing = await faultsOf(otto.page);
    for (const words of ['hello', 'zebra']) {
      await otto.page.getByLabel('Search people and messages').fill(words);
      await otto.page.locator('mark').or(otto.page.getByText('No messages or people match')).first().waitFor();
      found[`search ${words}`] = await faultsOf(otto.page);
    }
    assert.deepEqual(Object.entries(found).filter(([, faults]) => faults.length > 0), []);
  });
}

test('the chat works with the keyboard alone', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  const { keyboard } = john.page;
  const focused = () => john.page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element?.getAttribute('aria-label') ?? element?.tagName;
  });
  for (let n = 0; n < 8 && (await focused()) !== 'Chat'; n++) await keyboard.press('Tab');
  assert.equal(await focused(), 'Chat');
  await keyboard.press('Enter');
  await john.composer.waitFor();
  await keyboard.type('By keyboard');
  await keyboard.press('Enter');
  await john.hasTexts(['By keyboard']);
  await keyboard.press('Escape');
  assert.equal(await focused(), 'Chat');
  assert.equal(await john.launcher.getAttribute('aria-expanded'), 'false');
});
