import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';

const here = scene();

test('a message over the rate limit shows a countdown, is kept, and is sent when the limit allows', async () => {
  const shop = await here.site({ limits: { messages_per_minute: 3, api_per_minute: 60, image_bytes: 5_242_880 } });
  const john = await here.visitor();
  const refusals = [];
  john.page.on('response', async (response) => response.status() === 429 && refusals.push({ retry: response.headers()['retry-after'], ...(await response.json()).error }));
  await john.visit(here.page(shop));
  await john.open();
  await john.write('One', 'Two', 'Three', 'Four');
  const notice = john.page.locator('ocs-chat .held');
  await notice.waitFor();
  assert.match(await notice.innerText(), /sending too frequently\. Try again in \d+ seconds?/);
  await eventually(() => assert.equal(refusals.length, 1));
  assert.equal(refusals[0].code, 'sending_too_frequently');
  assert.match(refusals[0].message, /sending too frequently/);
  assert.ok(refusals[0].retry_after_s > 0 && refusals[0].retry_after_s <= 60);
  assert.equal(Number(refusals[0].retry), refusals[0].retry_after_s);
  const seconds = Number(/in (\d+)/.exec(await notice.innerText())[1]);
  await eventually(async () => assert.ok(Number(/in (\d+)/.exec(await notice.innerText())[1]) < seconds, 'it counts down'));
  await john.hasTexts(['One', 'Two', 'Three', 'Four']);
  await john.composer.fill('And a draft');
  await john.page.reload();
  await john.open();
  assert.equal(await john.composer.inputValue(), 'And a draft');
  await john.hasTexts(['One', 'Two', 'Three', 'Four']);
  // The owner raises the limit: the next attempt succeeds.
  await shop.api.configure(shop.id, { limits: { messages_per_minute: 60, api_per_minute: 60, image_bytes: 5_242_880 } });
  await john.page.reload();
  await john.open();
  await john.sent();
  const [{ id }] = await shop.api.conversations();
  await eventually(async () => assert.deepEqual((await shop.api.wholeThread(shop.id, id)).map(({ text }) => text), ['One', 'Two', 'Three', 'Four']));
});

test('a paused site shows nothing and says so once in the browser console', async () => {
  const shop = await here.site({ paused: true });
  const john = await here.visitor();
  await john.page.goto(here.page(shop), { waitUntil: 'networkidle' });
  assert.equal(await john.page.locator('ocs-chat').count(), 0);
  assert.deepEqual(john.seen.faults, []);
  assert.equal(john.seen.warnings.length, 1);
  assert.match(john.seen.warnings[0], /OCS.*paused/);
});

test('an unknown key shows nothing and says so once in the browser console', async () => {
  const john = await here.visitor();
  await john.page.goto(here.page({ key: 'site_nosuchkey' }), { waitUntil: 'networkidle' });
  assert.equal(await john.page.locator('ocs-chat').count(), 0);
  assert.deepEqual(john.seen.faults, []);
  assert.equal(john.seen.warnings.length, 1);
  assert.match(john.seen.warnings[0], /OCS.*unknown site key/);
});

test('the compatible API counts its requests, reading separately from replying', async () => {
  const shop = await here.site({ limits: { messages_per_minute: 20, api_per_minute: 2, image_bytes: 5_242_880 } });
  const fetched = () => fetch(`${here.url}/api/chat_api.php?action=get_recent_messages&key=${shop.apiKey}`);
  assert.equal((await fetched()).status, 200);
  assert.equal((await fetched()).status, 200);
  const refused = await fetched();
  assert.equal(refused.status, 429);
  // The actual wait (contract 3): both requests were made within the current minute.
  const wait = Number(refused.headers.get('retry-after'));
  assert.ok(wait > 30 && wait <= 60, `${wait} s`);
  assert.deepEqual(await refused.json(), { success: false, message: `too many requests, wait ${wait}s` });
  const reply = await fetch(`${here.url}/api/chat_api.php?action=reply_as_agent&key=${shop.apiKey}`, { method: 'POST', body: '{"conversation_id":1,"content":"x"}' });
  assert.equal(reply.status, 404);
});
