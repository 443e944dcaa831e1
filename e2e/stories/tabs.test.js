import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippet, snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();
const badge = (visitor) => visitor.page.locator('ocs-chat .b .n');

async function twoTabs() {
  const shop = await here.site();
  const url = here.page(shop);
  const one = await here.visitor();
  await one.visit(url);
  await one.open();
  await one.write('From the first tab');
  await one.sent();
  const two = await here.visitor({ in: one });
  const sockets = [];
  two.page.on('websocket', (socket) => sockets.push(socket.url()));
  await two.visit(url);
  await two.open();
  await two.hasTexts(['From the first tab']);
  const [{ id }] = await shop.api.conversations();
  return { shop, one, two, sockets, id };
}

test('two tabs of one visitor show the same messages over one connection', async () => {
  const { shop, one, two, sockets, id } = await twoTabs();
  await two.write('From the second tab');
  await one.reads('From the second tab');
  await shop.api.reply(shop.id, id, 'r1', 'To both');
  const all = ['From the first tab', 'From the second tab', 'To both'];
  await one.hasTexts(all);
  await two.hasTexts(all);
  assert.deepEqual(sockets, [], 'the second tab has no socket of its own');
  assert.equal((await shop.api.conversations()).length, 1);
});

test('when the tab with the connection is closed, another takes over without losing a message', async () => {
  const { shop, one, two, id } = await twoTabs();
  await one.page.close();
  await shop.api.reply(shop.id, id, 'r1', 'Right after the first tab closed');
  await two.reads('Right after the first tab closed');
  await two.write('Still here');
  await eventually(async () => assert.equal((await shop.api.wholeThread(shop.id, id)).length, 3));
});

test('a message read in one tab is no longer unread in the other', async () => {
  const { shop, one, two, id } = await twoTabs();
  await one.page.bringToFront();
  for (const tab of [one, two]) await tab.launcher.click();
  await shop.api.reply(shop.id, id, 'r1', 'One');
  await shop.api.reply(shop.id, id, 'r2', 'Two');
  for (const tab of [one, two]) await eventually(async () => assert.equal(await badge(tab).innerText(), '2'));
  await one.open();
  await eventually(async () => assert.equal(await badge(one).innerText(), ''));
  await eventually(async () => assert.equal(await badge(two).innerText(), ''), 1_000);
});

const beginners = { named: snippet, nameless: snippetWith };
for (const [kind, head] of Object.entries(beginners)) {
  test(`two tabs of a ${kind} visitor that open and write at the same moment create one visitor and one conversation`, async () => {
    const shop = await here.site();
    const url = here.page(shop, { head: head(here.url, shop.key) });
    const one = await here.visitor();
    const two = await here.visitor({ in: one });
    // Delay all starts until both have written.
    let letIn;
    const bothWrote = new Promise((resolve) => (letIn = resolve));
    await one.context.route('**/api/widget', async (route) => {
      if (route.request().postDataJSON()?.do === 'start') await bothWrote;
      await route.continue();
    });
    await Promise.all([one, two].map(async (tab) => (await tab.visit(url)).open()));
    // All tabs share one draft, but not messages that the page itself sends.
    await Promise.all([[one, 'I am first'], [two, 'No, I am']].map(async ([tab, text]) => {
      await tab.page.evaluate((text) => window.OCS.send(text), text);
      await tab.reads(text);
    }));
    letIn();
    const [{ id }, ...others] = await eventually(async () => {
      const list = await shop.api.conversations();
      assert.equal(list.reduce((sum, { last_seq }) => sum + last_seq, 0), 2);
      return list;
    });
    assert.deepEqual(others, []);
    const texts = (await shop.api.wholeThread(shop.id, id)).map(({ text }) => text);
    assert.deepEqual(texts.toSorted(), ['I am first', 'No, I am']);
    for (const tab of [one, two]) await tab.hasTexts(texts);
  });
}
