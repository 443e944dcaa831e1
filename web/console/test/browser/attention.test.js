import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { say } from '../stub/world.js';
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
    // Every page of this browser believes that it has the focus; here the test says which one does.
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
const settled = () => first.waitForTimeout(1200);

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

test('one notification and one sound for a message, whatever the number of tabs', async () => {
  await wantNotifications();
  for (const tab of tabs) await tab.locator('h1, h2').first().click();
  say(server.world, mei(), 'visitor', 'Are you there?');
  await settled();
  assert.deepEqual(await over(() => window.told), [['Mei Tanaka', 'Are you there?', 'granted']]);
  // One sound is two notes.
  assert.equal((await over(() => window.sounds)).reduce((a, b) => a + b), 2);
});

test('nothing calls for what is being read in one of the tabs', async () => {
  await wantNotifications();
  await first.bringToFront();
  await first.locator('a[id^="row-"]', { hasText: 'Mei Tanaka' }).click();
  await first.locator('article').first().waitFor();
  await first.evaluate(() => (window.focused = true));
  say(server.world, mei(), 'visitor', 'I see you typing');
  await settled();
  assert.deepEqual(await over(() => window.told), []);
  assert.equal((await over(() => window.sounds)).reduce((a, b) => a + b), 0);
});

test('permission is asked for by a click in the settings, never before', async () => {
  const asked = await first.evaluate(() => window.told.length);
  assert.equal(asked, 0);
  say(server.world, mei(), 'visitor', 'quiet');
  await settled();
  assert.deepEqual(await over(() => window.told), []);
});
