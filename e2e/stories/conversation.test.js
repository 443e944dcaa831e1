import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';

const here = scene();

test('a visitor on a page with the documented snippet and an operator chat live, with correct receipts', async () => {
  const shop = await here.site({ name: 'Northwind Shop', person: 'Otto' });
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  const otto = await here.operator(shop);

  await john.write('Is the blue lamp back in stock?');
  await otto.row('John Doe').waitFor();
  await eventually(async () => assert.match(await otto.page.title(), /^\(1\)/));
  await john.lastTick('Delivered');

  await otto.turnTo('John Doe');
  await otto.reads('Is the blue lamp back in stock?');
  await john.lastTick('Read');

  await otto.write('It is: three are left.');
  await john.reads('It is: three are left.');
  await otto.lastTick('Read');

  await john.write('Great!', '<b>Two</b> please & thank you');
  await otto.write('Done.', 'Anything else?');
  const all = ['Is the blue lamp back in stock?', 'It is: three are left.'];
  await eventually(async () => assert.equal((await john.texts()).length, 6));
  const seen = await john.texts();
  assert.deepEqual(seen.slice(0, 2), all);
  assert.deepEqual([...seen].sort(), [...all, 'Great!', '<b>Two</b> please & thank you', 'Done.', 'Anything else?'].sort());
  await otto.hasTexts(seen);
  await eventually(async () => assert.equal(await otto.page.title(), 'OCS'));
  assert.deepEqual(john.seen.faults, []);
  assert.deepEqual(otto.seen.faults, []);
});

test('a reply to a closed panel shows as unread, and reading it clears the count', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('I wait elsewhere on the page');
  const otto = await here.operator(shop);
  await otto.turnTo('John Doe');
  await john.page.keyboard.press('Escape');
  await otto.write('One', 'Two');
  await eventually(async () => assert.equal(await john.page.locator('ocs-chat .b .n').innerText(), '2'));
  assert.match(await john.launcher.getAttribute('aria-label'), /2 unread/);
  await otto.lastTick('Delivered');
  await john.open();
  await otto.lastTick('Read');
  await eventually(async () => assert.equal(await john.page.locator('ocs-chat .b .n').innerText(), ''));
});

test('typing shows on both sides', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Hello');
  const otto = await here.operator(shop);
  await otto.turnTo('John Doe');
  await otto.reads('Hello');
  await john.composer.pressSequentially('I am thinking', { delay: 300 });
  await otto.page.getByText('John Doe is typing').waitFor();
  await otto.composer.pressSequentially('So am I', { delay: 100 });
  await john.page.locator('ocs-chat').getByText('Otto is typing').first().waitFor();
});

test('a closed conversation reopens when its visitor writes', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('First');
  const otto = await here.operator(shop);
  await otto.turnTo('John Doe');
  await otto.page.getByRole('button', { name: 'Close', exact: true }).click();
  await otto.page.getByText('This conversation is closed').waitFor();
  await john.write('Second');
  await otto.hasTexts(['First', 'Second']);
  await otto.page.getByText('This conversation is closed').waitFor({ state: 'detached' });
  assert.equal((await shop.api.conversations()).length, 1);
});

test('a program reads and replies through the documented API, and the visitor sees it live', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Is anybody there?');
  await john.sent();
  const api = (action, init) => fetch(`${here.url}/api/chat_api.php?action=${action}&key=${shop.apiKey}`, init).then((response) => response.json());
  const { success, data } = await api('get_recent_messages');
  assert.equal(success, true);
  assert.equal(data.length, 1);
  const { conversation_id, sender_type, message_type, content, image_url } = data[0];
  assert.deepEqual({ sender_type, message_type, content, image_url }, { sender_type: 'visitor', message_type: 'text', content: 'Is anybody there?', image_url: null });
  const body = JSON.stringify({ conversation_id: Number(conversation_id), content: 'Hello, we have received your message', agent_name: 'Agent Wang' });
  assert.deepEqual(await api('reply_as_agent', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body }), { success: true });
  await john.reads('Hello, we have received your message');
  await john.page.locator('ocs-chat .who', { hasText: 'Agent Wang' }).waitFor();
});

test('the newest message stays in sight while the reply grows by lines and the window gets lower', async () => {
  const shop = await here.site();
  const vera = await here.visitor();
  await vera.visit(here.page(shop));
  await vera.open();
  await vera.write(...Array.from({ length: 18 }, (_, n) => `Line ${n + 1}`));
  await vera.sent();
  const otto = await here.operator(shop);
  await otto.turnTo('Line 18');
  await otto.reads('Line 18');
  const hidden = () => otto.page.getByRole('log', { name: /^Messages with/ }).evaluate((log) => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight));
  await eventually(async () => assert.ok((await hidden()) <= 1));
  await otto.composer.fill(Array(6).fill('and another line').join('\n'));
  await eventually(async () => assert.ok((await hidden()) <= 1, `${await hidden()} px hidden`), 3_000);
  await otto.page.setViewportSize({ width: 1200, height: 500 });
  await eventually(async () => assert.ok((await hidden()) <= 1, `${await hidden()} px hidden`), 3_000);
});
