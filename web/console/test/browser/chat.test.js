import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import { publish, sendMessage, signal, startConversation } from '../stub/data.js';
import { serve } from '../stub/serve.js';
import { frame } from '../../../test/animations.js';
import { openBrowser, openPage, signIn } from './browser.js';

let browser, server, page;
before(async () => (browser = await openBrowser()));
after(() => browser.close());
beforeEach(async () => {
  server = await serve();
  page = await openPage(browser, server.url);
  await signIn(page);
  await row('Mei Tanaka').waitFor();
});
afterEach(async () => {
  await page.context().close();
  server.stop();
});

const row = (name) => page.locator('a[id^="row-"]', { hasText: name });
const talk = (name) => server.world.conversations.find((c) => c.visitor.nickname === name);
const bubble = (text) => page.locator('article p.text', { hasText: text });
const eventually = async (check, within = 5000) => {
  const end = Date.now() + within;
  for (;;) {
    try {
      return await check();
    } catch (problem) {
      if (Date.now() > end) throw problem;
      await new Promise((go) => setTimeout(go, 50));
    }
  }
};

test('opening a conversation marks it read, in the list and in the title', async () => {
  assert.equal(await page.title(), '(4) OCS');
  const plain = await page.locator('link[rel=icon]').getAttribute('href');
  assert.match(plain, /^data:image\/png/);
  await row('Mei Tanaka').click();
  await bubble('Could it come before').waitFor();
  await eventually(async () => assert.equal(await page.title(), '(3) OCS'));
  await eventually(() => assert.ok(server.world.hints?.some((hint) => hint.type === 'seen' && hint.seq === 5)));
  assert.equal(await page.locator('.new').count(), 1);
  assert.deepEqual(page.faults, []);
});

test('a new visitor appears at the top, and no message of a burst in an unknown conversation is lost', async () => {
  const site = server.world.sites[1];
  const fresh = startConversation(server.world, site, { nickname: 'Brand New', online: true });
  publish(server.world, { kind: 'conversation_changed', conversation: structuredClone(fresh) });
  sendMessage(server.world, fresh, 'visitor', 'first');
  sendMessage(server.world, fresh, 'visitor', 'second');
  await row('Brand New').waitFor();
  assert.match(await page.locator('a[id^="row-"]').first().innerText(), /Brand New[\s\S]*second/);
  await page.waitForFunction(() => document.querySelector('[role=log].unseen')?.textContent.includes('new messages') || document.querySelector('[role=log].unseen')?.textContent.includes('Brand New'));
});

test('a reply is shown at once, then as sent, delivered and read', async () => {
  await row('Mei Tanaka').click();
  const reply = page.getByLabel('Reply to Mei Tanaka');
  await reply.fill('It leaves today.');
  server.world.slow = 400;
  await reply.press('Enter');
  await bubble('It leaves today.').waitFor({ timeout: 200 });
  await page.getByText('Sending…').waitFor();
  server.world.slow = 0;
  await eventually(async () => assert.equal(await page.locator('.ticks').last().getAttribute('title'), 'Sent'));
  const mei = talk('Mei Tanaka');
  for (const kind of ['delivered', 'seen']) {
    publish(server.world, { kind, site_id: mei.site_id, conversation_id: mei.id, by: 'visitor', seq: mei.last_seq, unread: 0 });
    await eventually(async () => assert.equal(await page.locator('.ticks').last().getAttribute('title'), kind === 'seen' ? 'Read' : 'Delivered'));
  }
  assert.equal(await bubble('It leaves today.').count(), 1);
});

test('a refused reply can be deleted; Shift+Enter starts a new line; drafts are kept', async () => {
  await row('Mei Tanaka').click();
  const reply = page.getByLabel('Reply to Mei Tanaka');
  await reply.fill('refuse');
  await reply.press('Enter');
  await page.getByText('This message is too long.').waitFor();
  await page.getByRole('button', { name: 'Delete' }).click();
  assert.equal(await bubble('refuse').count(), 0);
  await reply.fill('one');
  await reply.press('Shift+Enter');
  await reply.pressSequentially('two');
  await row('Jonas Weber').click();
  await page.getByLabel('Reply to Jonas Weber').waitFor();
  assert.match(await row('Mei Tanaka').innerText(), /Draft/);
  await page.reload();
  await row('Mei Tanaka').click();
  assert.equal(await page.getByLabel('Reply to Mei Tanaka').inputValue(), 'one\ntwo');
});

test('offline: a banner shows, replies queue, and everything arrives afterwards', async () => {
  await row('Mei Tanaka').click();
  await bubble('Could it come before').waitFor();
  server.world.away = true;
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000);
  server.cut();
  await page.clock.runFor(1000);
  assert.equal(await page.getByText('No connection.').count(), 0);
  await eventually(async () => {
    await page.clock.runFor(500);
    assert.equal(await page.getByText('No connection.').count(), 1);
  });
  const reply = page.getByLabel('Reply to Mei Tanaka');
  for (const text of ['one', 'two', 'three']) {
    await reply.fill(`offline ${text}`);
    await reply.press('Enter');
  }
  sendMessage(server.world, talk('Mei Tanaka'), 'visitor', 'said meanwhile');
  server.world.away = false;
  // The clock stands still until then, so that nothing but the button reconnects.
  await page.getByRole('button', { name: 'Try now' }).click();
  await page.clock.resume();
  await bubble('said meanwhile').waitFor({ timeout: 15000 });
  await eventually(async () => assert.equal(await page.getByText('Waiting to send').count(), 0), 15000);
  assert.deepEqual(server.world.messages.filter((m) => m.text.startsWith('offline')).map((m) => m.text), ['offline one', 'offline two', 'offline three']);
  assert.equal(await page.getByText('No connection.').count(), 0);
  assert.equal(await page.locator('article', { hasText: 'offline' }).count(), 3);
});

test('a resync reloads everything', async () => {
  await row('Mei Tanaka').click();
  await bubble('Could it come before').waitFor();
  server.world.forgotten = true;
  talk('Jonas Weber').visitor.nickname = 'Jonas renamed';
  server.cut();
  await row('Jonas renamed').waitFor({ timeout: 10000 });
  sendMessage(server.world, talk('Mei Tanaka'), 'visitor', 'after the resync');
  await bubble('after the resync').waitFor({ timeout: 10000 });
});

test('where sockets are blocked the stream delivers the events', async () => {
  server.world.noSockets = true;
  server.cut();
  sendMessage(server.world, talk('Mei Tanaka'), 'visitor', 'over the stream');
  await eventually(async () => assert.match(await row('Mei Tanaka').innerText(), /over the stream/), 15000);
});

test('older pages load above without moving the messages', async () => {
  await page.getByRole('button', { name: /^Closed/ }).click();
  await row('Noor').click();
  await bubble('Line 160 ').waitFor();
  const box = page.locator('.messages');
  const target = page.locator('article[data-seq="111"]');
  await box.evaluate((el) => (el.scrollTop = 300));
  const topBefore = await target.evaluate((el) => el.getBoundingClientRect().top);
  await page.locator('article[data-seq="61"]').waitFor({ state: 'attached' });
  const topAfter = await target.evaluate((el) => el.getBoundingClientRect().top);
  assert.ok(Math.abs(topAfter - topBefore) <= 1, `moved by ${topAfter - topBefore}`);
  sendMessage(server.world, talk('Noor'), 'visitor', 'while you read');
  await page.getByRole('button', { name: '1 new' }).click();
  await eventually(async () => assert.ok(await box.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2)));
});

test('a picture is pasted, sent and opened full size', async () => {
  await row('Mei Tanaka').click();
  const png = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(800, 500);
    canvas.getContext('2d').fillRect(100, 100, 300, 200);
    return [...new Uint8Array(await (await canvas.convertToBlob({ type: 'image/png' })).arrayBuffer())];
  });
  await page.locator('input[type=file]').setInputFiles({ name: 'plan.png', mimeType: 'image/png', buffer: Buffer.from(png) });
  await page.getByRole('button', { name: 'Remove: plan.png' }).waitFor();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  const sent = page.locator('article.ours .picture img').last();
  await sent.waitFor();
  await eventually(async () => assert.match(await sent.getAttribute('src'), /^\/uploads\//));
  await page.getByRole('button', { name: /^Open Picture from Ada/ }).last().click();
  await page.locator('dialog[open] img').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('input[type=file]').setInputFiles({ name: 'fake.png', mimeType: 'image/png', buffer: Buffer.from('<svg/>') });
  await page.getByText('You can send PNG, JPEG, GIF and non-animated WebP pictures.').waitFor();
  assert.deepEqual(page.faults, []);
});

test('typing and presence of visitors show, and those of the operator are sent', async () => {
  const mei = talk('Mei Tanaka');
  await eventually(() => assert.equal(server.world.connections.size, 1));
  signal(server.world, { kind: 'typing', site_id: mei.site_id, conversation_id: mei.id });
  await row('Mei Tanaka').getByText('is typing…').waitFor();
  signal(server.world, { kind: 'presence', site_id: mei.site_id, visitor_id: mei.visitor.id, online: false });
  await row('Mei Tanaka').click();
  await page.getByText(/^Last seen/).first().waitFor();
  await page.getByLabel('Reply to Mei Tanaka').pressSequentially('hello there');
  await eventually(() => assert.equal(server.world.hints.filter((hint) => hint.type === 'typing').length, 1));
});

test('everything works by keyboard', async () => {
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/chat\/\d+\/\d+/);
  await page.keyboard.press('Escape');
  await page.keyboard.press('e');
  await page.getByText('Closed. It reopens').waitFor();
  await page.keyboard.press('r');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
  await page.keyboard.type('j');
  await page.keyboard.press('Escape');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.type), 'search');
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.waitForURL('**/sites');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
});

test('ten thousand conversations keep the DOM small', async () => {
  const site = server.world.sites[0];
  for (let i = 0; i < 10_000; i++) {
    const c = startConversation(server.world, site, { nickname: `Visitor number ${i}` });
    Object.assign(c, { updated_at: Date.now() - 1e7 - i * 1000, last_seq: 1, last_message: { from: 'agent', text: 'ok', image: false, at: Date.now() - 1e7 } });
  }
  await page.reload();
  await row('Mei Tanaka').waitFor();
  for (let i = 0; i < 30; i++) {
    await page.locator('.box').evaluate((el) => (el.scrollTop = el.scrollHeight));
    await frame(page);
  }
  assert.ok((await page.locator('a[id^="row-"]').count()) <= 60);
  assert.match(await page.locator('a[id^="row-"]').last().innerText(), /Visitor number \d{3,}/);
});
