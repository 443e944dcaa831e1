// The screenshots of the README. `make screenshots` stores them; a normal run only checks that they can be taken.
import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { root } from '../support/packages.js';
import { snippetWith } from '../support/pages.js';
import { png } from '../support/pictures.js';
import { scene } from '../support/scene.js';

const here = scene();
const folder = join(root, process.env.KEEP_SCREENSHOTS ? 'docs/screenshots' : 'e2e/out/screenshots');

const shopPage = `<style>
:root { font: 16px/1.6 system-ui, sans-serif; color: #1f2933 }
body { margin: 0; background: #fbfaf7 }
nav { display: flex; gap: 28px; align-items: center; padding: 20px 48px; background: #fff; border-bottom: 1px solid #ece8df }
nav b { font-size: 20px; margin-right: auto }
@media (max-width: 500px) { nav { padding: 16px 20px; gap: 14px } main { padding: 20px !important; gap: 16px !important } }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 200px)); gap: 28px; padding: 40px 48px }
h1 { grid-column: 1 / -1; margin: 0 }
article { background: #fff; border: 1px solid #ece8df; border-radius: 10px; overflow: hidden }
article div { height: 130px } article p { margin: 12px 16px }
</style>
<nav><b>Northwind</b><span>Lamps</span><span>Chairs</span><span>Tables</span></nav>
<main><h1>Light for long evenings</h1>
${['#dfe7ef', '#efe3d3', '#e3ecdd', '#f0dede', '#e5e0ee', '#ece9d8'].map((colour, at) => `<article><div style="background:${colour}"></div><p>Lamp No. ${at + 1}<br><b>€ ${49 + at * 10}</b></p></article>`).join('\n')}</main>`;

const shoot = async (page, name, options = {}) => {
  for (const frame of page.frames()) {
    await frame.evaluate(() => {
      const animations = [document, ...[...document.querySelectorAll('ocs-chat')].map((chat) => chat.shadowRoot)].flatMap((tree) => tree.getAnimations());
      return Promise.all(animations.filter((one) => one.effect.getComputedTiming().iterations !== Infinity).map((one) => one.finished.catch(() => {})));
    });
  }
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, ...options });
  assert.ok((await stat(path)).size > 5_000);
};

async function talk(shop, options = {}) {
  const vera = await here.visitor(options);
  const head = snippetWith(here.url, shop.key, { externalId: 'customer-1042', nickname: 'Vera', email: 'vera@example.com', attributes: { plan: 'Gold', basket: '€ 128' } });
  await vera.visit(here.website.put('/lamps', head, { body: shopPage, title: 'Lamps · Northwind' }));
  return vera;
}

test('a visitor and an operator, as they see it', async () => {
  const shop = await here.site({ name: 'Northwind', person: 'Otto' });
  const vera = await talk(shop, { viewport: { width: 1200, height: 760 } });
  await vera.open();
  await vera.write('Hello! Is the blue lamp back in stock?');
  const otto = await here.operator(shop, { viewport: { width: 1360, height: 820 } });
  for (const [nickname, text] of [['Émile', 'Bonjour, my parcel shows “delivered” but nothing is here'], ['Mei', 'Do you ship to Taipei?']]) {
    const other = await here.visitor();
    await other.visit(here.page(shop, { head: snippetWith(here.url, shop.key, { externalId: nickname, nickname }) }));
    await other.open();
    await other.write(text);
    await other.lastTick('Delivered');
  }
  await otto.turnTo('Vera');
  await otto.write('Hi Vera, it is: three are left. Shall I put one aside for you?');
  await vera.reads('three are left');
  await vera.page.locator('ocs-chat input[type=file]').setInputFiles({ name: 'lamp.png', mimeType: 'image/png', buffer: png(480, 300) });
  await vera.page.locator('ocs-chat').getByRole('button', { name: 'Remove: lamp.png' }).waitFor();
  await vera.write('This one? Yes please!');
  await eventually(async () => assert.equal(await otto.messages.locator('.picture img').evaluate((image) => image.complete && image.naturalWidth > 0), true));
  await otto.write('That very one. It waits for you until tomorrow evening.');
  await vera.reads('until tomorrow evening');
  await vera.lastTick('Read');
  await otto.lastTick('Read');
  await shoot(vera.page, 'widget');
  await shoot(otto.page, 'console');
  await otto.page.goto(`${here.url}/sites/${shop.id}/look`);
  await otto.page.frameLocator('iframe').locator('ocs-chat').getByRole('dialog').first().waitFor();
  await otto.page.frameLocator('iframe').locator('ocs-chat [role=article]').last().waitFor();
  await shoot(otto.page, 'look');
  await otto.page.goto(`${here.url}/sites/${shop.id}`);
  await otto.page.getByText('The widget works').waitFor();
  await shoot(otto.page, 'install');
});

for (const [variant, colorScheme] of [['minimal', 'light'], ['bubble', 'dark']]) {
  test(`the ${variant} design on a phone`, async () => {
    const shop = await here.site({ name: 'Northwind', person: 'Otto' });
    const { look } = await shop.api.request('GET', `sites/${shop.id}`);
    await shop.api.configure(shop.id, { look: { ...look, variant } });
    const vera = await talk(shop, { viewport: { width: 390, height: 760 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2, colorScheme });
    await vera.launcher.tap();
    await vera.write('Do you deliver on Saturdays?');
    await vera.sent();
    const [{ id }] = await shop.api.conversations();
    await shop.api.reply(shop.id, id, 'r1', 'We do, until noon: https://northwind.example/delivery');
    await vera.reads('until noon');
    await shoot(vera.page, `phone-${variant}`);
  });
}
