// A new visitor opens the chat, writes, searches an emoji, sends an image, closes the chat and opens it again.
import { png } from '../support/pictures.js';
import { Visitor } from '../support/visitor.js';
import { settled } from '../support/weight.js';
import { Tab, untilPainted } from './tab.js';

const COMPOSER = 'chat.querySelector(".panel.open textarea")';
const clickLauncher = async (page) => {
  const [x, y] = await page.evaluate(() => {
    const { left, top, width, height } = document.querySelector('ocs-chat').shadowRoot.querySelector('button.b').getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  });
  return untilPainted(page, 'click', COMPOSER, () => page.mouse.click(x, y));
};

async function write(page, text) {
  await page.keyboard.insertText(text);
  await settled(page);
  const bubble = `[...chat.querySelectorAll("[role=article]")].at(-1)?.textContent.includes("${text}")`;
  const painted = await untilPainted(page, 'keydown', bubble, () => page.keyboard.press('Enter'));
  await settled(page);
  return painted;
}

/** Opens the chat on a slow network with only the launcher loaded. */
export async function openCold(browser, url) {
  const tab = await Tab.open(browser, url, { slow4g: true });
  await tab.page.waitForFunction(() => document.querySelector('ocs-chat'));
  await settled(tab.page);
  const opening = await clickLauncher(tab.page);
  await tab.close();
  return { 'click until the composer is there, cold, slow 4G, ms': opening };
}

export async function use(browser, url) {
  const tab = await Tab.open(browser, url);
  const { page } = tab;
  const visitor = new Visitor(page);
  await visitor.launcher.hover();
  await settled(page);
  const opening = await clickLauncher(page);
  await settled(page);
  const first = await write(page, 'The first word');
  const later = await write(page, 'Measured');

  await page.keyboard.type('typed');
  await page.getByRole('button', { name: 'Emoji' }).click();
  await page.locator('ocs-chat .emoji button').first().waitFor();
  await page.keyboard.type('heart');
  await page.locator('ocs-chat .emoji .grid button').first().click();
  await page.setInputFiles('ocs-chat input[type=file]', [{ name: 'lamp.png', mimeType: 'image/png', buffer: png() }]);
  await page.locator('ocs-chat .tray li img').waitFor();
  await visitor.composer.press('Enter');
  await visitor.sent();
  await page.locator('ocs-chat .picture > button').last().click();
  await page.locator('ocs-chat .lightbox img').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('ocs-chat .lightbox').waitFor({ state: 'detached' });
  await page.keyboard.press('Escape');
  await visitor.launcher.click();
  await settled(page);
  const slowest = await page.evaluate(() => window.slowest);
  await tab.close();
  return {
    'click until the composer is there, warm, ms': opening,
    'key until the own bubble is painted, the first, ms': first,
    'key until the own bubble is painted, ms': later,
    'slowest action (INP), ms': slowest,
  };
}
