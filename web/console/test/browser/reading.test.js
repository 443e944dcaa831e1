import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { sendMessage, startConversation } from '../stub/data.js';
import { serve } from '../stub/serve.js';
import { frame, still } from '../../../test/animations.js';
import { openBrowser, openPage, signIn } from './browser.js';

let browser, server, page;
before(async () => (browser = await openBrowser()));
after(() => browser.close());
beforeEach(async () => {
  server = await serve();
  page = await openPage(browser, server.url);
});
afterEach(async () => {
  await page.context().close();
  server.stop();
});

test('scrolling through two thousand messages and back keeps at most four hundred in the DOM', async () => {
  const talk = startConversation(server.world, server.world.sites[0], { nickname: 'Long Talker' });
  for (let n = 1; n <= 2000; n++) sendMessage(server.world, talk, n % 3 ? 'visitor' : 'agent', `Line ${n} of it`, { at: Date.now() - (2001 - n) * 60_000 });
  await signIn(page);
  await page.goto(`/chat/${talk.site_id}/${talk.id}`);
  await page.locator('article[data-seq="2000"]').waitFor();
  const box = page.locator('.messages');
  let most = 0;
  const read = async (to, until) => {
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      most = Math.max(most, await page.locator('article').count());
      if (await until.count()) return;
      await box.evaluate((el, top) => (el.scrollTop = top), to);
      await frame(page);
    }
    throw new Error(`not reached; at ${await page.locator('article').first().getAttribute('data-seq')}`);
  };
  await read(0, page.locator('article[data-seq="1"]'));
  sendMessage(server.world, talk, 'visitor', 'said meanwhile');
  await page.getByRole('button', { name: 'Newest' }).waitFor();
  await read(1e9, page.locator('article[data-seq="2001"]'));
  await read(0, page.locator('article[data-seq="1200"]'));
  await page.getByRole('button', { name: 'Newest' }).click();
  await page.locator('article[data-seq="2001"]').waitFor();
  await page.waitForFunction(() => { const el = document.querySelector('.messages'); return el.scrollHeight - el.scrollTop - el.clientHeight < 2; });
  assert.ok(most <= 400, `${most} at once`);
  assert.deepEqual(page.faults, []);
});

test('the reading position stays while messages are added above and removed below', async () => {
  const talk = startConversation(server.world, server.world.sites[0], { nickname: 'Long Talker' });
  for (let n = 1; n <= 900; n++) sendMessage(server.world, talk, 'visitor', `Line ${n}`, { at: Date.now() - (901 - n) * 60_000 });
  await signIn(page);
  await page.goto(`/chat/${talk.site_id}/${talk.id}`);
  await page.locator('article[data-seq="900"]').waitFor();
  for (let oldest = 851; oldest > 401; oldest -= 50) {
    const top = () => page.evaluate((seq) => document.querySelector(`article[data-seq="${seq}"]`).getBoundingClientRect().top, oldest + 5);
    await page.locator('.messages').evaluate((el) => (el.scrollTop = 200));
    const before = await top();
    await page.locator(`article[data-seq="${oldest - 50}"]`).waitFor({ state: 'attached' });
    await still(page);
    assert.ok(Math.abs((await top()) - before) <= 1, `at ${oldest} it moved by ${(await top()) - before}`);
  }
});

test('the counter appears near the limit, and a text over it is not sent', async () => {
  await signIn(page);
  await page.locator('a[id^="row-"]', { hasText: 'Mei Tanaka' }).click();
  const reply = page.getByLabel('Reply to Mei Tanaka');
  await reply.fill('x'.repeat(3500));
  assert.equal(await page.getByText(/left$/).count(), 0);
  await reply.fill('x'.repeat(3990));
  await page.getByText('10 left').waitFor();
  await reply.fill('x'.repeat(4002));
  await page.getByText('2 over the limit').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Send', exact: true }).isDisabled());
  await reply.press('Enter');
  assert.equal((await reply.inputValue()).length, 4002);
  await reply.fill('👨‍👩‍👧'.repeat(1000));
  await page.getByText(/over the limit/).waitFor();
});

test('pictures zoom up to five times by keyboard and wheel', async () => {
  await signIn(page);
  await page.locator('a[id^="row-"]', { hasText: 'Mei Tanaka' }).click();
  const png = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(800, 500);
    canvas.getContext('2d').fillRect(0, 0, 800, 500);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())];
  });
  await page.locator('input[type=file]').setInputFiles({ name: 'plan.png', mimeType: 'image/png', buffer: Buffer.from(png) });
  await page.getByRole('button', { name: 'Remove: plan.png' }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const open = page.getByRole('button', { name: /^Open Picture from Ada/ });
  await open.waitFor();
  await open.click();
  await page.locator('dialog[open] img').waitFor();
  const scale = () => page.locator('dialog[open] .view').evaluate((view) => new DOMMatrix(getComputedStyle(view).transform).a);
  for (let n = 0; n < 6; n++) await page.keyboard.press('+');
  assert.equal(await scale(), 5);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('0');
  assert.equal(await scale(), 1);
  await page.locator('dialog[open] img').hover();
  await page.mouse.wheel(0, -600);
  await page.waitForFunction(() => new DOMMatrix(getComputedStyle(document.querySelector('dialog[open] .view')).transform).a === 5);
  await page.keyboard.press('Escape');
  await page.locator('dialog[open]').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.className.includes('picture')), true);
  assert.deepEqual(page.faults, []);
});
