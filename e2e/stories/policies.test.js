import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippet } from '../support/pages.js';
import { png } from '../support/pictures.js';
import { scene } from '../support/scene.js';

const here = scene();

/** The one-tag form and the policy sources as the console shows them. */
async function printed(site) {
  const operator = await here.operator(site);
  await operator.page.goto(`${here.url}/sites/${site.id}`);
  const text = async (label) => (await operator.page.getByRole('region', { name: label, exact: true }).innerText()).trim();
  return { tag: await text('One-tag form'), lines: await text('Policy lines') };
}

/** Does everything that a visitor can do, on a page with this policy. */
async function useAll(policy, tag) {
  const john = await here.visitor({ init: () => {
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => window.violations.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sourceFile ?? ''}`));
  } });
  await john.visit(here.website.put(`/policy/${Math.random()}`, tag, { headers: { 'Content-Security-Policy': `${policy}; report-uri /report` } }));
  await john.open();
  await john.write('https://example.com is allowed here?');
  await john.sent();
  const chat = john.page.locator('ocs-chat');
  await chat.locator('input[type=file]').setInputFiles({ name: 'lamp.png', mimeType: 'image/png', buffer: png(200, 150) });
  await chat.getByRole('button', { name: 'Remove: lamp.png' }).waitFor();
  await chat.getByRole('button', { name: 'Send', exact: true }).click();
  await john.sent();
  await chat.getByRole('button', { name: /Picture from You/ }).click();
  await chat.getByRole('dialog', { name: 'Picture' }).waitFor();
  await john.page.keyboard.press('Escape');
  await chat.getByRole('button', { name: 'Emoji' }).click();
  await chat.getByLabel('Search emoji').waitFor();
  await john.page.keyboard.press('Escape');
  await john.page.reload();
  await john.open();
  await eventually(async () => assert.equal(await chat.locator('[role=log] .picture img').evaluate((image) => image.naturalWidth > 0), true));
  assert.deepEqual(await john.page.evaluate(() => window.violations), []);
  assert.deepEqual(here.website.reports.splice(0), []);
  assert.deepEqual(john.seen.faults, []);
}

test("with default-src 'none' and the sources that the console shows, everything works and nothing is reported", async () => {
  const shop = await here.site();
  const { tag, lines } = await printed(shop);
  await useAll(`default-src 'none'; ${lines.replace(/;\s*$/, '').replace(/\s+/g, ' ')}`, tag.replace(' nonce="YOUR_NONCE"', ''));
});

test('the same with a nonce', async () => {
  const shop = await here.site();
  const { tag, lines } = await printed(shop);
  const policy = `default-src 'none'; ${lines.replace(/;\s*$/, '').replace(/\s+/g, ' ').replace('script-src', "script-src 'nonce-r4nd0m'")}`;
  await useAll(policy, tag.replace('YOUR_NONCE', 'r4nd0m'));
});

test("the same with a nonce and 'strict-dynamic', which ignores hosts", async () => {
  const shop = await here.site();
  const { tag, lines } = await printed(shop);
  const policy = `default-src 'none'; ${lines.replace(/;\s*$/, '').replace(/\s+/g, ' ').replace('script-src', "script-src 'nonce-r4nd0m' 'strict-dynamic'")}`;
  await useAll(policy, tag.replace('YOUR_NONCE', 'r4nd0m'));
});

test('with Trusted Types, everything works and nothing is reported', async () => {
  const shop = await here.site();
  const { tag, lines } = await printed(shop);
  const policy = `default-src 'none'; ${lines.replace(/;\s*$/, '').replace(/\s+/g, ' ')}; require-trusted-types-for 'script'; trusted-types 'none'`;
  await useAll(policy, tag.replace(' nonce="YOUR_NONCE"', ''));
});

test('the documented snippet works with a policy that allows inline scripts', async () => {
  const shop = await here.site();
  const { lines } = await printed(shop);
  const policy = `default-src 'none'; ${lines.replace(/;\s*$/, '').replace(/\s+/g, ' ').replace('script-src', "script-src 'unsafe-inline'")}`;
  await useAll(policy, snippet(here.url, shop.key));
});
