import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { serve } from '../stub/serve.js';
import { openBrowser, openPage, signIn } from './browser.js';

let browser, server;
before(async () => {
  [browser, server] = await Promise.all([openBrowser(), serve()]);
});
after(async () => {
  await browser.close();
  server.stop();
});

test('two-factor authentication is set up, recovery codes are shown once, and the next sign-in asks for a code', async () => {
  const page = await openPage(browser, server.url, {});
  await signIn(page);
  await page.goto('/account');
  const section = page.locator('section', { has: page.getByRole('heading', { name: 'Two-factor authentication' }) });
  await section.getByLabel('Your password').fill(server.world.password);
  await section.getByRole('button', { name: 'Set up' }).click();
  await section.getByText('GEZD GNBV GY3T QOJQ').waitFor();
  const code = section.getByRole('img', { name: 'QR code for your authenticator app' });
  await code.waitFor();
  assert.ok((await code.locator('path').getAttribute('d')).length > 1_000);
  await section.getByLabel('Current code from the app').fill('000000');
  await section.getByRole('button', { name: 'Turn on' }).click();
  await section.getByText('This code is not right.').waitFor();
  await section.getByLabel('Current code from the app').fill('123456');
  await section.getByRole('button', { name: 'Turn on' }).click();
  await section.getByText('abcd-efgh-ijkl-mno0').waitFor();
  await section.getByRole('button', { name: 'I’ve saved them' }).click();
  await section.getByText('Recovery codes left: 10').waitFor();
  await page.getByText('Account created').waitFor();

  await page.getByRole('button', { name: 'Sign out' }).first().click();
  await page.getByLabel('E-mail').fill(server.world.account.email);
  await page.getByLabel('Password').fill(server.world.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Code').fill('123456');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  // The browser logs each error response; nothing else failed.
  assert.deepEqual(page.faults.filter((fault) => !fault.includes('401')), []);
});
