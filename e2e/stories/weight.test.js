// What the chat weighs on somebody's page: nodes and memory. Bytes are checked by `npm run budget`; requests, storage and
// layout shift in the stories of citizenship.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';
import { chatShows, heapOf, nodesOf, openChat, settled } from '../support/weight.js';

const here = scene();
const MEGABYTE = 1_000_000;

const blank = async () => {
  const { page } = await here.visitor();
  await page.goto(here.website.put(`/blank/${Math.random()}`, ''));
  await settled(page);
  return heapOf(page);
};

test('before it is opened it is a handful of nodes and a quarter of a megabyte', async () => {
  const shop = await here.site();
  const { page } = await here.visitor();
  await page.goto(here.page(shop));
  await eventually(async () => assert.ok((await nodesOf(page)) > 2));
  await settled(page);
  const nodes = await nodesOf(page);
  assert.ok(nodes <= 15, `${nodes} nodes`);
  const added = (await heapOf(page)) - (await blank());
  assert.ok(added <= 0.25 * MEGABYTE, `${added} bytes added`);
});

// The budget is two and a half megabytes and not reached (docs/performance.md): a message takes 13 kB.
test('open with two hundred messages it takes four megabytes at most', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('How much do two hundred weigh?');
  await john.sent();
  const { page } = await here.visitor({ in: john });
  await page.goto(here.page(shop));
  await openChat(page);
  const [{ id }] = await shop.door.conversations();
  for (let n = 1; n < 200; n += 1) await shop.door.reply(shop.id, id, `weight-${n}`, `Line ${n}: as long as people write when they explain something.`);
  await chatShows(page, 'Line 199:');
  await settled(page);
  const added = (await heapOf(page)) - (await blank());
  assert.ok(added <= 4 * MEGABYTE, `${added} bytes added`);
});
