// What only Firefox does in its own way. The chat's other stories are told in Chromium.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { Firefox } from '../support/firefox.js';
import { scene } from '../support/scene.js';

const here = scene({ browser: false });
let john;

before(async () => {
  john = await Firefox.open();
  await john.init(() => addEventListener('pageshow', ({ persisted }) => (window.fromMemory = persisted)));
});
after(() => john?.close());

const texts = () => john.evaluate(() => [...document.querySelectorAll('ocs-chat')].flatMap(({ shadowRoot }) => [...shadowRoot.querySelectorAll('[role=log] [role=article] .bubble')].map(({ textContent }) => textContent.trim())));
const hasTexts = (expected) => eventually(async () => assert.deepEqual(await texts(), expected));
const ask = (selector, run) => john.evaluate(`() => (${run})(document.querySelector('ocs-chat').shadowRoot.querySelector(${JSON.stringify(selector)}))`);
const is = (path) => eventually(async () => assert.ok(await john.evaluate((path) => location.pathname === path && document.readyState === 'complete', path)));

/** A page with a strict policy, where John has written and hears what is answered. */
async function talks(body) {
  const shop = await here.site();
  const headers = { 'Content-Security-Policy': `default-src 'none'; frame-src 'none'; script-src 'unsafe-inline' ${here.url}; connect-src ${here.url} ${here.url.replace('http', 'ws')}` };
  const url = here.page(shop, { body, headers });
  await john.goto(url);
  await eventually(() => ask('button.b', (button) => button.getAttribute('aria-expanded') === 'true' || button.click()));
  await eventually(() => ask('textarea', (field) => field.focus()));
  await john.press(...'Wait for me', 'Enter');
  const { id } = await eventually(async () => {
    const [conversation] = await shop.api.conversations();
    assert.ok(conversation);
    return conversation;
  });
  let count = 0;
  const reply = (text) => shop.api.reply(shop.id, id, `r${(count += 1)}`, text);
  await reply('Of course');
  await hasTexts(['Wait for me', 'Of course']);
  return { shop, url, path: new URL(url).pathname, reply };
}

/** `leave` goes to another page; then John comes back. */
async function comesBack(leave) {
  const elsewhere = '/elsewhere';
  here.website.put(elsewhere, '', { body: '<p>Elsewhere</p>' });
  const { path, reply } = await talks(`<a href="${elsewhere}">Another page</a>`);
  await john.press(...'and th');
  // Whoever leaves within half a second of their first message leaves a page that is still beginning.
  await eventually(async () => assert.ok(await john.evaluate(async () => !(await navigator.locks.query()).held.some(({ name }) => name.startsWith('ocs:start')))));
  await leave(`${here.website.url}${elsewhere}`);
  await is(elsewhere);
  await reply('Said while you were away');
  await john.back();
  await is(path);
  await eventually(async () => assert.equal(await john.evaluate(() => window.fromMemory), true), 5_000);
  await hasTexts(['Wait for me', 'Of course', 'Said while you were away']);
  assert.equal(await ask('textarea', (field) => field.value), 'and th');
  await reply('Here again');
  await hasTexts(['Wait for me', 'Of course', 'Said while you were away', 'Here again']);
}

test('Firefox keeps the page that was left by a link, and the chat goes on', () => comesBack(() => john.evaluate(() => document.querySelector('a').click())));

test('Firefox keeps the page that was left by the address bar, and the chat goes on', () => comesBack((url) => john.goto(url)));

test('a link that leaves no page, such as a download, ends no chat', async () => {
  here.website.put('/price-list', '', { headers: { 'Content-Disposition': 'attachment; filename=prices.html' } });
  const { reply } = await talks('<a href="/price-list">Prices</a>');
  await john.evaluate(() => document.querySelector('a').click());
  await reply('Did you find them?');
  await hasTexts(['Wait for me', 'Of course', 'Did you find them?']);
  await reply('Fine');
  await hasTexts(['Wait for me', 'Of course', 'Did you find them?', 'Fine']);
});

test('a page that takes the chat out of its document loses nothing of it', async () => {
  const { reply } = await talks('');
  await john.evaluate(() => document.querySelector('ocs-chat').remove());
  await eventually(async () => assert.ok(await john.evaluate(() => document.querySelector('ocs-chat') !== null)));
  await reply('Still there?');
  await hasTexts(['Wait for me', 'Of course', 'Still there?']);
});
