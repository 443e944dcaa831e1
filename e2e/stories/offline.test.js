import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';

const here = scene();

test('three messages written offline survive a reload and arrive once, in order', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Before the tunnel');
  await john.sent();

  await here.server.stop();
  await john.write('One', 'Two', 'Three');
  await john.hasTexts(['Before the tunnel', 'One', 'Two', 'Three']);
  await john.lastTick('Waiting to be sent');

  // The chat is loaded from the browser's cache, the written messages from its storage.
  await john.page.reload();
  await john.open();
  await eventually(async () => assert.deepEqual((await john.texts()).slice(-3), ['One', 'Two', 'Three']));
  await john.lastTick('Waiting to be sent');

  await here.server.up();
  await john.hasTexts(['Before the tunnel', 'One', 'Two', 'Three'], 45_000);
  await john.sent();
  const [{ id }] = await shop.api.conversations();
  assert.deepEqual((await shop.api.wholeThread(shop.id, id)).map(({ text }) => text), ['Before the tunnel', 'One', 'Two', 'Three']);
});

test('offline, the chat says so, keeps written messages and sends them when the network is back', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Online');
  await john.sent();
  await john.context.setOffline(true);
  await john.write('One', 'Two', 'Three');
  await john.status.getByText('You’re offline').waitFor();
  await john.lastTick('Waiting to be sent');
  await john.context.setOffline(false);
  await john.sent();
  await john.status.getByText('You’re offline').waitFor({ state: 'detached' });
  const [{ id }] = await shop.api.conversations();
  await eventually(async () => assert.deepEqual((await shop.api.wholeThread(shop.id, id)).map(({ text }) => text), ['Online', 'One', 'Two', 'Three']));
  await john.hasTexts(['Online', 'One', 'Two', 'Three']);
});

test('a message written while the server was down reaches a waiting operator, without a reload on either side', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Hello');
  const otto = await here.operator(shop);
  await otto.turnTo('John Doe');
  await here.server.kill();
  await john.write('Are you there?');
  await otto.write('I am');
  await otto.page.getByText('No connection.').waitFor();
  await here.server.up();
  await john.reads('I am', { timeout: 45_000 });
  await otto.reads('Are you there?', { timeout: 45_000 });
  const texts = await john.texts();
  assert.deepEqual([...texts].sort(), ['Are you there?', 'Hello', 'I am']);
  await otto.hasTexts(texts);
});
