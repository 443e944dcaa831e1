import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { sendMessage } from '../stub/data.js';
import { serve } from '../stub/serve.js';
import { openBrowser, openPage, signIn } from './browser.js';

let browser, server, first, tabs;
before(async () => (browser = await openBrowser()));
after(() => browser.close());
beforeEach(async () => {
  server = await serve();
  first = await openPage(browser, server.url, { permissions: ['notifications'] });
  await first.context().addInitScript(() => {
    window.told = [];
    window.sounds = 0;
    const Real = window.Notification;
    window.Notification = class extends Real {
      constructor(title, words) {
        super(title, words);
        window.told.push([title, words.body, Notification.permission]);
      }
    };
    const start = OscillatorNode.prototype.start;
    OscillatorNode.prototype.start = function (...args) {
      window.sounds += 1;
      return start.apply(this, args);
    };
    // Every page of this browser claims to have the focus, so the test decides which one does.
    document.hasFocus = () => window.focused === true;
  });
  await signIn(first);
  const more = await Promise.all([1, 2].map(() => first.context().newPage()));
  tabs = [first, ...more];
  for (const tab of more) {
    await tab.goto('/chat');
    await tab.locator('a[id^="row-"]').first().waitFor();
  }
  await first.reload();
  await first.locator('a[id^="row-"]').first().waitFor();
});
afterEach(async () => {
  await first.context().close();
  server.stop();
});

const mei = () => server.world.conversations.find((c) => c.visitor.nickname === 'Mei Tanaka');
const over = async (what) => (await Promise.all(tabs.map((tab) => tab.evaluate(what)))).flat();
const jonas = () => server.world.conversations.find((c) => c.visitor.nickname === 'Jonas Weber');
const sounds = async () => (await over(() => window.sounds)).reduce((a, b) => a + b);

/** A visitor writes. Waits until one tab has alerted and every other tab has had its turn. */
async function call(conversation, text) {
  const heard = await sounds();
  sendMessage(server.world, conversation, 'visitor', text);
  for (const tab of tabs) await tab.locator('a[id^="row-"]', { hasText: text }).waitFor();
  for (const end = Date.now() + 20_000; (await sounds()) === heard; ) assert.ok(Date.now() < end, 'nothing was heard');
  // The tab that alerted holds its claim for three seconds, longer than any other tab waits.
  await first.waitForFunction(async () => !(await navigator.locks.query()).held.some(({ name }) => /^ocs:\d+-\d+-\d+$/.test(name)));
}

async function wantNotifications() {
  await first.bringToFront();
  await first.getByRole('button', { name: 'Settings' }).click();
  await first.getByLabel('Desktop notifications').check({ force: true });
  await first.keyboard.press('Escape');
  for (const tab of tabs.slice(1)) {
    await tab.reload();
    await tab.locator('a[id^="row-"]').first().waitFor();
  }
}

test('one notification and one sound for each message, however many tabs are open', async () => {
  await wantNotifications();
  for (const tab of tabs) await tab.locator('h1, h2').first().click();
  await call(mei(), 'Are you there?');
  assert.deepEqual(await over(() => window.told), [['Mei Tanaka', 'Are you there?', 'granted']]);
  // One sound is two notes.
  assert.equal(await sounds(), 2);
});

test('a message that is being read in one of the tabs causes no alert', async () => {
  await wantNotifications();
  await first.bringToFront();
  await first.locator('a[id^="row-"]', { hasText: 'Mei Tanaka' }).click();
  await first.locator('article').first().waitFor();
  await first.evaluate(() => (window.focused = true));
  sendMessage(server.world, mei(), 'visitor', 'I see you typing');
  await call(jonas(), 'Is anybody there?');
  // A visible conversation needs no notification; the single sound is for the other conversation.
  assert.deepEqual(await over(() => window.told), []);
  assert.equal(await sounds(), 2);
});

test('permission for notifications is requested only by a click in the settings', async () => {
  const asked = await first.evaluate(() => window.told.length);
  assert.equal(asked, 0);
  // Sound needs a user gesture first.
  for (const tab of tabs) await tab.locator('h1, h2').first().click();
  await call(mei(), 'quiet');
  assert.deepEqual(await over(() => window.told), []);
});
