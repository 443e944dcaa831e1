import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';

const here = scene();

/** A shop where John wrote and Otto replied a hundred and twenty times. */
async function busyShop() {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Do you have a blue lamp?');
  await john.sent();
  const [{ id }] = await shop.api.conversations();
  for (let n = 1; n <= 120; n++) await shop.api.reply(shop.id, id, `r${n}`, n === 30 ? 'It left with order 4711,\nthe blue LÁMP <b>and</b> the chair' : `Answer ${n}`);
  return { shop, john, id };
}

const fieldOf = ({ page }) => page.getByLabel('Search people and messages');
const marksOf = (row) => row.locator('mark').allInnerTexts();

/** Is the message in the middle of the screen? */
const inSight = (article) => article.evaluate((row) => {
  const [place, box] = [row.getBoundingClientRect(), row.closest('.messages').getBoundingClientRect()];
  return place.top >= box.top && place.bottom <= box.bottom;
});

test('a message is searched by keyboard, and its conversation opens there', async () => {
  const { shop, john, id } = await busyShop();
  const otto = await here.operator(shop);
  const { page } = otto;
  await otto.row('John Doe').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('lamp order 47');
  const row = otto.row('order 4711');
  await row.waitFor();
  assert.deepEqual(await marksOf(row), ['order', '4711', 'LÁMP']);
  assert.match(await row.innerText(), /<b>and<\/b> the chair/, 'text is text');
  assert.match(await row.innerText(), /John Doe[^]*Northwind Shop/);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**/chat/${shop.id}/${id}?message=31`);
  const article = page.locator('article[data-seq="31"]');
  await article.and(page.locator('[aria-current]')).waitFor();
  assert.ok(await inSight(article));
  await eventually(async () => assert.equal(await page.locator('article[aria-current]').count(), 0), 6_000);

  // Scrolling shows the messages before and after it, down to those that arrive meanwhile.
  await page.locator('article[data-seq="32"]').waitFor();
  await john.write('And a table?');
  await page.getByRole('button', { name: 'Newest' }).click();
  await otto.reads('And a table?');
  await row.click();
  await article.and(page.locator('[aria-current]')).waitFor();
  await eventually(async () => assert.ok(await inSight(article)));

  await fieldOf(otto).fill('table');
  await eventually(async () => assert.deepEqual(await marksOf(otto.row('And a table?').last()), ['table'], 'found right after it was sent'));
  await fieldOf(otto).press('Escape');
  assert.equal(await fieldOf(otto).inputValue(), '');
  await eventually(async () => assert.equal(await otto.rows.count(), 1));
  assert.match(page.url(), /message=31/, 'the conversation stays open');
  assert.deepEqual(otto.seen.faults, []);
});

test('a URL with a message opens at that message, also after a reload', async () => {
  const { shop, id } = await busyShop();
  const otto = await here.operator(shop);
  for (const go of [() => otto.page.goto(`${here.url}/chat/${shop.id}/${id}?message=31`), () => otto.page.reload()]) {
    await go();
    const article = otto.page.locator('article[data-seq="31"][aria-current]');
    await article.waitFor();
    await eventually(async () => assert.ok(await inSight(article)));
  }
  await otto.page.goto(`${here.url}/chat/${shop.id}/${id}?message=nothing`);
  await otto.reads('Answer 120');
});

test('an empty result and a failed search are shown; the failed one can be retried', async () => {
  const { shop } = await busyShop();
  const otto = await here.operator(shop);
  const { page } = otto;
  await fieldOf(otto).fill('zebra');
  await page.getByText('No messages or people match “zebra”').waitFor();
  await page.getByRole('button', { name: 'Clear the search' }).click();
  await otto.row('John Doe').waitFor();

  await page.route('**/api/console/workspaces/*/search*', (route) => route.abort());
  await fieldOf(otto).fill('4711');
  const again = page.getByRole('button', { name: 'Try again' });
  await again.waitFor();
  await page.unroute('**/api/console/workspaces/*/search*');
  await again.click();
  await otto.row('order 4711').click();
  await otto.reads('order 4711');
  await fieldOf(otto).press('ArrowDown');
  await page.keyboard.press('Escape');
  assert.equal(await fieldOf(otto).inputValue(), '', 'Escape leaves the search first');
  await otto.composer.waitFor();
});

test('more results load at the end of a page', async () => {
  const { shop } = await busyShop();
  const otto = await here.operator(shop);
  await fieldOf(otto).fill('answer');
  const found = otto.page.locator('a[id^="row-"]:has(mark)');
  const further = otto.page.getByRole('button', { name: 'Search older messages' });
  await found.first().waitFor();
  // A page has at most thirty results; it is shorter when the server is busy, and the next one continues there.
  for (let all = 0; all < 119; ) {
    const before = all;
    await eventually(async () => assert.ok((all = await found.count()) > before));
    assert.ok(all <= before + 30, `${before} and then ${all}`);
    if (!(await further.count())) continue;
    const fills = await otto.page.locator('.results').evaluate((box) => box.scrollHeight > box.clientHeight);
    if (fills) await found.last().scrollIntoViewIfNeeded();
    else await further.click();
  }
  assert.equal(await found.count(), 119);
  assert.equal(await further.count(), 0);
});

test('on a phone a result opens, and going back shows the results again', async () => {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write(`שלום, איפה המנורה? ${'without_an_end_'.repeat(12)}`, '请问退货政策是什么');
  await john.sent();
  const otto = await here.operator(shop, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark' });
  const { page } = otto;
  await fieldOf(otto).fill('退货');
  const chinese = otto.row('政策').last();
  await eventually(async () => assert.deepEqual(await marksOf(chinese), ['退货']));
  await fieldOf(otto).fill('המנורה');
  const row = page.locator('a[id^="row-"]:has(mark)');
  await row.waitFor();
  assert.equal(await row.locator('.said').evaluate((line) => getComputedStyle(line).direction), 'rtl');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await row.click();
  await page.locator('article[data-seq="1"][aria-current]').waitFor();
  await page.goBack();
  await row.waitFor();
  assert.equal(await fieldOf(otto).inputValue(), 'המנורה');
});
