import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { sign } from '../support/identity.js';
import { snippet, snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();
const openChat = async (shop, options, more = {}) => {
  const visitor = await here.visitor(more);
  await visitor.visit(here.page(shop, { head: options === undefined ? snippet(here.url, shop.key) : snippetWith(here.url, shop.key, options) }));
  await visitor.open();
  return visitor;
};
const vera = { externalId: 'vera-1', nickname: 'Vera' };

test('the same id in another browser is the same visitor in the console, without access to earlier conversations', async () => {
  const shop = await here.site();
  const desk = await openChat(shop, vera);
  await desk.write('A secret from my desk');
  await desk.sent();
  const stranger = await openChat(shop, vera);
  assert.deepEqual(await stranger.texts(), []);
  await stranger.write('Hello from elsewhere');
  await stranger.hasTexts(['Hello from elsewhere']);
  await stranger.sent();
  const conversations = await shop.api.conversations();
  assert.equal(conversations.length, 2);
  assert.equal(new Set(conversations.map(({ visitor }) => visitor.id)).size, 1, 'one visitor');
  assert.ok(conversations.every(({ verified }) => !verified));
  for (const { id } of conversations) await shop.api.reply(shop.id, id, `r${id}`, `answer to ${id}`);
  await desk.hasTexts(['A secret from my desk', `answer to ${Math.min(...conversations.map(({ id }) => id))}`]);
  await stranger.hasTexts(['Hello from elsewhere', `answer to ${Math.max(...conversations.map(({ id }) => id))}`]);
});

test('in shared mode the same id gives access to the whole history', async () => {
  const shop = await here.site({ identity_mode: 'shared' });
  const desk = await openChat(shop, vera);
  await desk.write('From my desk');
  await desk.sent();
  const phone = await openChat(shop, vera);
  await phone.hasTexts(['From my desk']);
  await phone.write('From my phone');
  await desk.hasTexts(['From my desk', 'From my phone']);
  assert.equal((await shop.api.conversations()).length, 1);
});

test('a very long nickname does not prevent the chat; it is cut between two characters', async () => {
  const shop = await here.site();
  const nickname = '👩‍🚀'.repeat(3) + 'Vera of the many names '.repeat(10);
  const visitor = await openChat(shop, { externalId: 'vera-1', nickname });
  await visitor.write('Still me');
  await visitor.sent();
  const [conversation] = await shop.api.conversations();
  assert.equal(conversation.visitor.nickname, '👩‍🚀'.repeat(3) + 'Vera of the many names '.repeat(10).slice(0, 61).trim());
});

test('after logout the next person sees nothing of the previous one, in any tab', async () => {
  const shop = await here.site();
  const a = await openChat(shop, vera);
  await a.write('For my eyes only');
  await a.sent();
  const tab = await here.visitor({ in: a });
  await tab.visit(a.page.url());
  await tab.open();
  await tab.hasTexts(['For my eyes only']);
  const at = await a.page.evaluate(() => {
    window.OCS.logout();
    return new Promise((seen) => requestAnimationFrame(() => seen(document.querySelector('ocs-chat').shadowRoot.textContent)));
  });
  assert.ok(!at.includes('eyes'), 'gone before the next frame');
  await eventually(async () => assert.deepEqual(await tab.texts(), []));
  assert.ok(!JSON.stringify(await a.page.evaluate(() => ({ ...localStorage }))).includes('eyes'));

  await a.page.evaluate(() => window.OCS.identify({ externalId: 'bob-2', nickname: 'Bob' }));
  await a.write('I am Bob');
  await a.hasTexts(['I am Bob']);
  await a.sent();
  // The page claims that this is Vera again. After a logout, that gives no more access than to anybody else.
  await a.page.reload();
  await a.open();
  await a.write('Vera again');
  await a.sent();
  await a.hasTexts(['Vera again']);
  const conversations = await shop.api.conversations();
  assert.deepEqual(conversations.map(({ visitor }) => visitor.external_id).sort(), ['bob-2', 'vera-1', 'vera-1']);
});

test('another externalId on the next page drops the old thread before anything is rendered', async () => {
  const shop = await here.site();
  const a = await openChat(shop, vera);
  await a.write('For my eyes only');
  await a.sent();
  const b = await here.visitor({ in: a, init: () => {
    window.drawn = [];
    const look = () => {
      const text = document.querySelector('ocs-chat')?.shadowRoot.textContent ?? '';
      if (text.includes('eyes')) window.drawn.push(text);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  } });
  await b.visit(here.page(shop, { head: snippetWith(here.url, shop.key, { externalId: 'bob-2', nickname: 'Bob' }) }));
  await b.open();
  await b.write('Hi');
  await b.hasTexts(['Hi']);
  assert.deepEqual(await b.page.evaluate(() => window.drawn), []);
});

test('an anonymous visitor who signs in keeps the thread', async () => {
  const shop = await here.site();
  const anna = await openChat(shop, {});
  await anna.write('Who am I?');
  await anna.sent();
  await anna.page.evaluate(() => window.OCS.identify({ externalId: 'anna-7', nickname: 'Anna' }));
  await anna.page.locator('ocs-chat h2', { hasText: 'Anna' }).waitFor();
  await anna.write('Now you know');
  await anna.hasTexts(['Who am I?', 'Now you know']);
  await eventually(async () => {
    const conversations = await shop.api.conversations();
    assert.deepEqual(conversations.map(({ visitor, last_seq }) => [visitor.external_id, visitor.nickname, last_seq]), [['anna-7', 'Anna', 2]]);
  });
});

test('a signed identity is verified in the console and keeps its history in every browser', async () => {
  const shop = await here.site();
  const { secret } = await shop.api.request('POST', `sites/${shop.id}/identity-secrets`);
  const signed = () => ({ ...vera, identityToken: sign(secret, 'vera-1') });
  const desk = await openChat(shop, signed());
  await desk.write('From my desk');
  await desk.sent();
  const phone = await openChat(shop, signed());
  await phone.hasTexts(['From my desk']);

  const stranger = await openChat(shop, vera);
  await stranger.write('Let me in');
  await stranger.hasTexts(['Let me in']);
  await stranger.sent();
  await phone.hasTexts(['From my desk']);

  const otto = await here.operator(shop);
  await otto.row('From my desk').locator('.verified').waitFor();
  assert.equal(await otto.row('Let me in').locator('.verified').count(), 0);
  await otto.row('From my desk').click();
  await otto.page.locator('summary', { hasText: /^Verified/ }).waitFor();
});

test('in signed-only mode other visitors are told so, and a wrong signature counts as none', async () => {
  const shop = await here.site();
  const { secret } = await shop.api.request('POST', `sites/${shop.id}/identity-secrets`);
  await shop.api.configure(shop.id, { identity_mode: 'signed_only' });
  const [signIn, reload] = ['Please sign in to this site, then open the chat again.', 'Please reload this page.'];
  const visitors = [
    [vera, signIn],
    [{ ...vera, identityToken: sign('not the secret', 'vera-1') }, reload],
    [{ ...vera, identityToken: sign(secret, 'somebody-else') }, reload],
    [{ ...vera, identityToken: sign(secret, 'vera-1', { exp: 1 }) }, reload],
  ];
  for (const [options, help] of visitors) {
    const visitor = await here.visitor();
    await visitor.visit(here.page(shop, { head: snippetWith(here.url, shop.key, options) }));
    await visitor.launcher.click();
    await visitor.page.locator('ocs-chat').getByText('We can’t identify you').waitFor();
    await visitor.page.locator('ocs-chat').getByText(help).waitFor();
    assert.ok(visitor.seen.warnings.some((line) => line.includes('cannot be identified')), 'the browser console explains why');
  }
  const known = await openChat(shop, { ...vera, identityToken: sign(secret, 'vera-1') });
  await known.write('It is me');
  await known.sent();
});

test('the owner is warned while a page sends the sample id for everybody', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  const john = await openChat(shop);
  await john.write('Hello');
  const banner = otto.page.getByRole('status').filter({ hasText: 'user_12345' });
  await banner.waitFor();
  await banner.getByRole('link', { name: 'How to fix this' }).click();
  await otto.page.getByRole('heading', { name: 'All of your visitors have the same ID' }).waitFor();
  const wim = await openChat(shop, { externalId: 'wim-7', nickname: 'Wim' });
  await wim.write('Is anybody there?');
  await otto.page.getByRole('heading', { name: 'All of your visitors have the same ID' }).waitFor({ state: 'detached' });
});
