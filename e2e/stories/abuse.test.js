import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';

const here = scene({ settings: { attack_visitors_per_minute: 2 } });

test('while a flood of visitors hits a site, a new visitor can still chat, and the owner sees the flood and cleans up', async () => {
  const shop = await here.site();
  const operator = await here.operator(shop);
  for (const text of ['Buy this', 'And this', 'Where is my order?']) {
    const visitor = await here.visitor();
    await visitor.visit(here.page(shop));
    await visitor.open();
    await visitor.write(text);
    await visitor.sent();
    assert.equal(visitor.seen.requests.some((request) => /\/proof_of_work-[0-9a-f]+\.js/.test(request)), text === 'Where is my order?', 'only a visitor who arrived during the flood solved a proof of work');
  }
  const { page } = operator;
  await page.getByText('unusually many new visitors').waitFor();
  const order = (await shop.api.conversations()).find(({ last_message }) => last_message.text === 'Where is my order?');
  await shop.api.reply(shop.id, order.id, 'r1', 'On its way');
  await page.getByRole('button', { name: 'Clean up…' }).click();
  await page.getByText('2 conversations will be deleted.').waitFor();
  await page.getByRole('button', { name: 'Delete permanently' }).click();
  await page.getByText('2 conversations deleted.', { exact: true }).waitFor();
  await eventually(async () => assert.deepEqual((await shop.api.conversations()).map(({ id }) => id), [order.id]));
  await page.getByText('Buy this').waitFor({ state: 'detached' });
});
