import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { addMember, makeSite, createData, publish } from '../stub/data.js';
import { serve } from '../stub/serve.js';
import { still } from '../../../test/animations.js';
import { openBrowser, openPage, signIn } from './browser.js';

const axe = createRequire(import.meta.url).resolve('axe-core');
let browser, server, empty;
before(async () => {
  [browser, server, empty] = await Promise.all([openBrowser(), serve(), serve({ world: createData({ empty: true }) })]);
  const { world } = server;
  addMember(world, 'Vera Klein', { online: true });
  addMember(world, 'Somebody with a remarkably long name that will not fit anywhere', { role: 'viewer', active: false, sites: [world.sites[0].id] });
  world.invitations.push({ id: 1, note: 'Karla', role: 'admin', sites: null, invited_by: 'Ada', created_at: Date.now(), expires_at: Date.now() + 9e8 });
  world.offers.set('offer', { workspace: world.workspaces[0], role: 'operator', sites: null, note: 'Karla', invited_by: 'Ada', expires_at: Date.now() + 9e8 });
  world.audit.push({ id: 1, action: 'member_joined', account_id: 1, account_name: 'Ada', site_id: null, subject: 'vera@northwind.example', network: '203.0.113.0/24', at: Date.now() });
  world.resetToken = 'reset';
});
after(async () => {
  await browser.close();
  server.stop();
  empty.stop();
});

const paths = () => {
  const site = server.world.sites[0].id;
  const talk = server.world.conversations[0];
  return ['/chat', `/chat/${talk.site_id}/${talk.id}`, '/sites', ...['', '/look', '/limits', '/security', '/api', '/danger'].map((part) => `/sites/${site}${part}`), '/team', '/team/activity', '/team/workspace', '/account'];
};

/** Injects axe through the debugger, which the page's Content-Security-Policy does not affect. */
async function faultsOf(page) {
  const context = await page.context().newCDPSession(page);
  const { readFile } = await import('node:fs/promises');
  await context.send('Runtime.evaluate', { expression: await readFile(axe, 'utf8') });
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { iframes: false, resultTypes: ['violations'] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.target.join(' ')).join(' | ')}`);
}

for (const scheme of ['light', 'dark']) {
  test(`every page is clean for assistive technology, ${scheme}`, async () => {
    const page = await openPage(browser, server.url, { scheme });
    const found = {};
    for (const path of ['/login', '/signup', '/invite#offer', '/invite#used', '/reset#reset', '/reset#used']) {
      await page.goto('about:blank');
      await page.goto(path);
      await page.locator('main form, main .part').first().waitFor();
      found[path] = await faultsOf(page);
    }
    await signIn(page);
    for (const path of paths()) {
      await page.goto(path, { waitUntil: 'networkidle' });
      await still(page);
      found[path] = await faultsOf(page);
    }
    await page.goto('/team');
    for (const button of ['Invite a member', 'Change Vera Klein']) {
      await page.getByRole('button', { name: button }).click();
      await page.locator('dialog[open]').waitFor();
      await still(page);
      found[button] = await faultsOf(page);
      await page.keyboard.press('Escape');
    }
    await page.goto('/chat');
    await page.getByRole('heading', { name: 'Inbox' }).waitFor();
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    await still(page);
    found.help = await faultsOf(page);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Settings' }).click();
    await still(page);
    found.settings = await faultsOf(page);
    assert.deepEqual(Object.entries(found).filter(([, faults]) => faults.length), []);
    // The browser logs the refusals of the used links, and that nobody is signed in.
    assert.deepEqual(page.faults.filter((fault) => !/40[14]/.test(fault)), []);
    await page.context().close();
  });
}

test('no page scrolls sideways on a narrow phone', async () => {
  const page = await openPage(browser, server.url, { width: 360, height: 740, phone: true });
  await signIn(page);
  for (const path of paths()) {
    await page.goto(path, { waitUntil: 'networkidle' });
    await still(page);
    const over = await page.evaluate(() => {
      const wide = [...document.querySelectorAll('main *')].filter((el) => el.getBoundingClientRect().right > innerWidth + 1 && !el.closest('pre, nav, iframe'));
      return { page: document.documentElement.scrollWidth - innerWidth, inside: wide.slice(0, 3).map((el) => `${el.tagName}.${el.className}`) };
    });
    assert.deepEqual({ path, ...over }, { path, page: 0, inside: [] });
    const top = await page.locator('main').evaluate((el) => el.getBoundingClientRect().top);
    assert.ok(top >= 0 && top < 60, `${path} begins at ${top}`);
  }
  await page.context().close();
});

test('signing in leads to the requested page; a wrong password is refused', async () => {
  const page = await openPage(browser, server.url);
  await page.goto(paths()[1]);
  await page.waitForURL(/login\?next=/);
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('do not go together').waitFor();
  await page.getByLabel('Password').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${paths()[1]}`);
  await page.goto('/login?next=//evil.example/x');
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/chat');
  await page.context().close();
});

test('from an empty account to a site with its key', async () => {
  const page = await openPage(browser, empty.url);
  await signIn(page);
  await page.getByRole('link', { name: 'Create a site' }).click();
  await page.getByLabel('Name of the website').fill('My shop');
  await page.keyboard.press('Enter');
  await page.getByText('Waiting for your page').waitFor();
  assert.equal(await page.getByText('Copy it now').count(), 0, 'no secret that nobody asked for');
  empty.world.sites[0].seen_page = { origin: 'https://shop.example', at: Date.now() };
  await page.getByText('The widget works: last seen on').waitFor({ timeout: 5000 });
  await page.getByRole('link', { name: 'API' }).click();
  await page.getByText('the chat API is disabled').waitFor();
  await page.getByRole('button', { name: 'New key…' }).click();
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('Copy it now').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'New key…' }).click();
  await page.getByLabel('In 1 hour').check();
  await page.getByLabel('Read only').check();
  await page.getByLabel('Allowed IP addresses').fill('nowhere');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('nowhere is not an address').waitFor();
  // The browser logs the error response, as expected.
  assert.equal(page.faults.splice(0).length, 1);
  await page.getByLabel('Allowed IP addresses').fill('192.0.2.1, 198.51.100.0/24');
  await page.getByLabel('Last day of validity').fill('2031-05-31');
  await page.getByRole('button', { name: 'Create key' }).click();
  await page.getByText('Copy it now').waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('Read only, only from 192.0.2.1, 198.51.100.0/24').waitFor();
  assert.equal(await page.getByText('Expires').count(), 2);
  await page.getByRole('link', { name: 'Pause and delete' }).click();
  await page.getByRole('button', { name: 'Delete My shop…' }).click();
  await page.getByLabel('Type the name').fill('My shop');
  await page.getByRole('button', { name: 'Delete site permanently' }).click();
  await page.waitForURL('**/sites');
  await page.getByText('three steps').waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('ten thousand sites can be searched and keep the DOM small', async () => {
  const world = createData();
  for (let n = 0; n < 10_000; n++) makeSite(world, `Branch ${n}`);
  const many = await serve({ world });
  const page = await openPage(browser, many.url);
  await signIn(page);
  await page.getByRole('button', { name: 'All sites' }).click();
  await page.getByLabel('Search sites by name').fill('branch 9876');
  await page.getByRole('button', { name: 'Branch 9876' }).click();
  await page.getByText('No open conversations').waitFor();
  await page.goto(`${many.url}/sites`);
  await page.getByRole('button', { name: 'Show more' }).click();
  assert.equal(await page.getByRole('article').count(), 120);
  const elements = await page.evaluate(() => document.querySelectorAll('*').length);
  assert.ok(elements < 4_000, `${elements} elements`);
  await page.getByLabel('Search sites by name').fill('nch 9999');
  await page.getByRole('link', { name: 'Branch 9999' }).click();
  await page.getByRole('heading', { name: 'Branch 9999' }).waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
  many.stop();
});

test('an unreadable colour pair is refused, and one click applies the nearest readable one', async () => {
  const page = await openPage(browser, server.url);
  await signIn(page);
  await page.goto(`/sites/${server.world.sites[0].id}/look`);
  const text = page.getByRole('group', { name: 'Buttons and own messages' }).getByLabel('Text', { exact: true });
  await text.fill('#2563eb');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('alert').getByText('These two are hard to read together.').waitFor();
  const shown = () => page.locator('iframe').evaluate((frame) => JSON.parse(new URL(frame.src).searchParams.get('look')).primary_text);
  const use = page.getByRole('button', { name: /^Use #/ });
  const offered = (await use.innerText()).trim().slice(4);
  await page.waitForFunction((offered) => document.querySelector('iframe')?.src.includes(encodeURIComponent(offered)), offered);
  assert.equal(await shown(), offered, 'the preview shows what is offered');
  await use.click();
  assert.equal(await text.inputValue(), offered);
  await page.getByRole('alert').waitFor({ state: 'detached' });
  // No light colour is readable on yellow, so the widget's own dark text colour is suggested.
  const back = page.getByRole('group', { name: 'Header' }).getByLabel('Background', { exact: true });
  await back.fill('#ffeb3b');
  await page.getByRole('button', { name: 'Use #14181f' }).click();
  await back.fill('#2563eb');
  await page.getByRole('button', { name: /^Use #/ }).click();
  await page.getByText('Bubble', { exact: true }).click();
  await page.waitForFunction(() => document.querySelector('iframe')?.src.includes('bubble'));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('All changes saved').waitFor();
  assert.equal(server.world.sites[0].look.variant, 'bubble');
  await page.context().close();
});

test('the inbox loads within its budget', async () => {
  const { readFile } = await import('node:fs/promises');
  const { brotliCompressSync } = await import('node:zlib');
  const page = await openPage(browser, server.url);
  await signIn(page);
  const files = [];
  page.on('response', (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith('/api/')) files.push(pathname.includes('.') ? pathname : '/index.html');
  });
  await page.goto('/chat');
  await page.locator('a[id^="row-"]').first().waitFor();
  await page.waitForLoadState('networkidle');
  const sizes = await Promise.all(files.map(async (file) => brotliCompressSync(await readFile(new URL(`../../../dist/console${file}`, import.meta.url))).length));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 90_000, `${total} bytes`);
  assert.ok(files.length <= 30, `${files.length} files`);
  await page.context().close();
});

test('a flood of visitors is shown on every page and cleaned up with a click and a confirmation', async (t) => {
  const attacked = await serve();
  t.after(() => attacked.stop());
  const page = await openPage(browser, attacked.url);
  await signIn(page);
  const [site] = attacked.world.sites;
  site.attack = { began_at: Date.now() - 12 * 60_000, ended_at: null, conversations: 1234 };
  publish(attacked.world, { kind: 'site_changed', site_id: site.id });
  const banner = page.locator('.banner', { hasText: site.name });
  await banner.getByText('unusually many new visitors, first noticed 12 minutes ago').waitFor();
  await page.goto('/sites');
  await banner.waitFor();
  assert.equal(await banner.getByRole('button', { name: 'Dismiss' }).count(), 0, 'not while it is under way');
  await banner.getByRole('button', { name: 'Clean up…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('1,234 conversations will be deleted.').waitFor();
  assert.deepEqual(await faultsOf(page), []);
  site.attack.ended_at = Date.now();
  await dialog.getByRole('button', { name: 'Delete permanently' }).click();
  await page.getByText('1,234 conversations deleted.', { exact: true }).waitFor();
  await banner.waitFor({ state: 'detached' });
  assert.deepEqual(page.faults, []);
});
