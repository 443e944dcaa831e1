// A site that lets nobody in for a while: what its visitors see, and that they lose nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();
const online = () => window.dispatchEvent(new Event('online'));

const POLICIES = {
  'accepts only signed visitors': { on: { identity_mode: 'signed_only' }, off: { identity_mode: 'same_browser' }, says: 'We can’t identify you' },
  'has a mistyped domain': { on: { allowed_domains: ['nortwind.example'] }, off: { allowed_domains: [] }, says: 'Chat isn’t available right now.' },
  'is paused': { on: { paused: true }, off: { paused: false }, says: 'This chat is paused at the moment.' },
};

for (const [policy, { on, off, says }] of Object.entries(POLICIES)) {
  test(`a visitor whose site ${policy} for a while keeps the conversation, in every tab and after a reload`, async () => {
    const shop = await here.site();
    const vera = await here.visitor();
    await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
    await vera.open();
    await vera.write('Before');
    await vera.sent();
    const tab = await here.visitor({ in: vera });
    await tab.visit(vera.page.url());
    await tab.open();
    await tab.hasTexts(['Before']);
    const token = () => vera.page.evaluate((key) => JSON.parse(localStorage.getItem(`ocs:${key}`)).token, shop.key);
    const before = await token();

    await shop.api.configure(shop.id, on);
    for (const one of [vera, tab]) {
      await one.page.locator('ocs-chat').getByText(says).waitFor();
      assert.equal(await one.page.locator('ocs-chat .presence').count(), 0, 'nobody is said to be online');
    }
    assert.equal(await token(), before);
    const [{ id }] = await shop.api.conversations();
    await shop.api.reply(shop.id, id, 'while', 'While you were refused');

    await shop.api.configure(shop.id, off);
    for (const one of [vera, tab]) {
      await one.page.evaluate(online);
      await one.hasTexts(['Before', 'While you were refused']);
    }
    await vera.write('After');
    await vera.sent();

    await shop.api.configure(shop.id, on);
    await vera.page.locator('ocs-chat').getByText(says).waitFor();
    // Reloaded on a paused site the widget is not there at all.
    await vera.page.reload();
    await shop.api.configure(shop.id, off);
    await vera.page.reload();
    await vera.open();
    await vera.hasTexts(['Before', 'While you were refused', 'After']);
    const conversations = await shop.api.conversations();
    assert.deepEqual(conversations.map(({ last_seq }) => last_seq), [3], 'one conversation');
  });
}

test('an open page finds out by itself that its site is no longer paused, and what it wrote is sent', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.visit(here.page(shop, { head: snippetWith(here.url, shop.key) }));
  await vera.open();
  await vera.write('Before');
  await vera.sent();
  // A message that meets the pause before the page hears of it.
  let pauses = true;
  await vera.page.route('**/api/widget', async (route) => {
    if (pauses && route.request().postDataJSON().do === 'send') {
      pauses = false;
      await shop.api.configure(shop.id, { paused: true });
    }
    await route.continue();
  });
  await vera.page.clock.install();
  await vera.write('Into the pause');
  await vera.page.locator('ocs-chat').getByText('This chat is paused at the moment.').waitFor();
  let asked = 0;
  const open = new Set();
  vera.page.on('request', (request) => {
    asked += 1;
    open.add(request);
  });
  for (const end of ['requestfinished', 'requestfailed']) vera.page.on(end, (request) => open.delete(request));
  const pass = async (minutes) => {
    // In steps shorter than the time that an answer may take: none is given up because the clock ran ahead.
    for (let step = 0; step < 12 * minutes; step += 1) {
      await vera.page.clock.runFor(5_000);
      await eventually(() => assert.equal(open.size, 0));
    }
  };
  await pass(60);
  assert.ok(asked > 5 && asked < 60, `${asked} requests in an hour of a paused site`);
  await shop.api.configure(shop.id, { paused: false });
  const before = asked;
  for (let step = 0; asked === before; step += 1) {
    assert.ok(step <= 60, 'it asks within five minutes');
    await vera.page.clock.runFor(5_000);
  }
  await vera.hasTexts(['Before', 'Into the pause']);
  await vera.sent();
  await eventually(async () => assert.equal((await shop.api.conversations())[0].last_seq, 2));
});
