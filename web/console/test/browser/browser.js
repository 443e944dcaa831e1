// A real browser connected to the stub server.
import { chromium } from 'playwright-core';

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking'],
  });
}

/** Opens a page that collects console errors and page errors in `page.faults`. */
export async function openPage(browser, url, { width = 1440, height = 900, scheme = 'light', phone = false, ...more } = {}) {
  const context = await browser.newContext({
    baseURL: url, viewport: { width, height }, colorScheme: scheme, hasTouch: phone, isMobile: phone, deviceScaleFactor: phone ? 2 : 1, ...more,
  });
  const page = await context.newPage();
  page.faults = [];
  page.on('console', (said) => said.type() === 'error' && page.faults.push(said.text()));
  page.on('pageerror', (fault) => page.faults.push(String(fault)));
  return page;
}

export async function signIn(page) {
  await page.goto('/login');
  await page.getByLabel('E-mail').fill('ada@example.com');
  await page.getByLabel('Password').fill('correct horse battery');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/chat');
}
