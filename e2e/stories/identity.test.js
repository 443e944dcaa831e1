import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { sign } from '../support/identity.js';
import { snippet, snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();
const arrive = async (shop, options, more = {}) => {
  const visitor = await here.visitor(more);
  await visitor.visit(here.page(shop, { head: options === undefined ? snippet(here.url, shop.key) : snippetWith(here.url, shop.key, options) }));
  await visitor.open();
  return visitor;
};
const vera = { externalId: 'vera-1', nickname: 'Vera' };

test('the same id in another browser is the same visitor in the console, and earlier conversations stay closed to it', async () => {
  const shop = await here.site();
  const desk = await arrive(shop, vera);
  await desk.write('A secret from my desk');
  await desk.sent();
  const stranger = await arrive(shop, vera);
  assert.deepEqual(await stranger.texts(), []);
  await stranger.write('Hello from elsewhere');
  await stranger.hasTexts(['Hello from elsewhere']);
  await stranger.sent();
  const conversations = await shop.door.conversations();
  assert.equal(conversations.length, 2);
  assert.equal(new Set(conversations.map(({ visitor }) => visitor.id)).size, 1, 'one visitor');
  assert.ok(conversations.every(({ verified }) => !verified));
  for (const { id } of conversations) await shop.door.reply(shop.id, id, `r${id}`, `answer to ${id}`);
  await desk.hasTexts(['A secret from my desk', `answer to ${Math.min(...conversations.map(({ id }) => id))}`]);
  await stranger.hasTexts(['Hello from elsewhere', `answer to ${Math.max(...conversations.map(({ id }) => id))}`]);
});

test('in shared mode the same id brings the whole history', async () => {
  const shop = await here.site({ identity_mode: 'shared' });
  const desk = await arrive(shop, vera);
  await desk.write('From my desk');
  await desk.sent();
  const phone = await arrive(shop, vera);
  await phone.hasTexts(['From my desk']);
  await phone.write('From my phone');
  await desk.hasTexts(['From my desk', 'From my phone']);
  assert.equal((await shop.door.conversations()).length, 1);
});

test('a page that gives a very long name gets a chat all the same, and the name cut between two characters', async () => {
  const shop = await here.site();
  const nickname = '👩‍🚀'.repeat(3) + 'Vera of the many names '.repeat(10);
  const visitor = await arrive(shop, { externalId: 'vera-1', nickname });
  await visitor.write('Still me');
  await visitor.sent();
  const [conversation] = await shop.door.conversations();
  assert.equal(conversation.visitor.nickname, '👩‍🚀'.repeat(3) + 'Vera of the many names '.repeat(10).slice(0, 61).trim());
});

test('after logout the next person sees nothing of the one before, in any tab', async () => {
  const shop = await here.site();
  const a = await arrive(shop, vera);
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
  // The page says that this is Vera. Who logged out comes back as anybody would who says so.
  await a.page.reload();
  await a.open();
  await a.write('Vera again');
  await a.sent();
  await a.hasTexts(['Vera again']);
  const conversations = await shop.door.conversations();
  assert.deepEqual(conversations.map(({ visitor }) => visitor.external_id).sort(), ['bob-2', 'vera-1', 'vera-1']);
});

test('another externalId on the next page drops the old thread before anything is drawn', async () => {
  const shop = await here.site();
  const a = await arrive(shop, vera);
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
  const anna = await arrive(shop, {});
  await anna.write('Who am I?');
  await anna.sent();
  await anna.page.evaluate(() => window.OCS.identify({ externalId: 'anna-7', nickname: 'Anna' }));
  await anna.page.locator('ocs-chat h2', { hasText: 'Anna' }).waitFor();
  await anna.write('Now you know');
  await anna.hasTexts(['Who am I?', 'Now you know']);
  await eventually(async () => {
    const conversations = await shop.door.conversations();
    assert.deepEqual(conversations.map(({ visitor, last_seq }) => [visitor.external_id, visitor.nickname, last_seq]), [['anna-7', 'Anna', 2]]);
  });
});

test('a signed identity is verified in the console and has its history in every browser', async () => {
  const shop = await here.site();
  const { secret } = await shop.door.ask('POST', `sites/${shop.id}/identity-secrets`);
  const signed = () => ({ ...vera, identityToken: sign(secret, 'vera-1') });
  const desk = await arrive(shop, signed());
  await desk.write('From my desk');
  await desk.sent();
  const phone = await arrive(shop, signed());
  await phone.hasTexts(['From my desk']);

  const stranger = await arrive(shop, vera);
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

test('where only signed visitors are let in, others are told so, and a wrong signature is as good as none', async () => {
  const shop = await here.site();
  const { secret } = await shop.door.ask('POST', `sites/${shop.id}/identity-secrets`);
  await shop.door.configure(shop.id, { identity_mode: 'signed_only' });
  for (const options of [vera, { ...vera, identityToken: sign('not the secret', 'vera-1') }, { ...vera, identityToken: sign(secret, 'somebody-else') }, { ...vera, identityToken: sign(secret, 'vera-1', { exp: 1 }) }]) {
    const visitor = await here.visitor();
    await visitor.visit(here.page(shop, { head: snippetWith(here.url, shop.key, options) }));
    await visitor.launcher.click();
    await visitor.page.locator('ocs-chat').getByText('We can’t identify you').waitFor();
    assert.ok(visitor.seen.warnings.some((line) => line.includes('cannot be identified')), 'the console of the page says why');
  }
  const known = await arrive(shop, { ...vera, identityToken: sign(secret, 'vera-1') });
  await known.write('It is me');
  await known.sent();
});

test('a page that gives everybody the sample id is told to its owner at once, and until it is mended', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  const john = await arrive(shop);
  await john.write('Hello');
  const banner = otto.page.getByRole('status').filter({ hasText: 'user_12345' });
  await banner.waitFor();
  await banner.getByRole('link', { name: 'What to do' }).click();
  await otto.page.getByRole('heading', { name: 'All of your visitors arrive with the same id' }).waitFor();
  const wim = await arrive(shop, { externalId: 'wim-7', nickname: 'Wim' });
  await wim.write('Is anybody there?');
  await otto.page.getByRole('heading', { name: 'All of your visitors arrive with the same id' }).waitFor({ state: 'detached' });
});
