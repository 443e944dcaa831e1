// Real browsers. Each person has a separate profile.
import { chromium } from './packages.js';

export function openBrowser(args = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', ...args],
    // The driver sets this flag by default, which would disable the back/forward cache.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** Records a page's errors, warnings and requests. */
export function watch(page) {
  const seen = { faults: [], warnings: [], requests: [] };
  page.on('console', (said) => {
    if (said.type() === 'error') seen.faults.push(said.text());
    if (said.type() === 'warning') seen.warnings.push(said.text());
  });
  page.on('pageerror', (fault) => seen.faults.push(String(fault)));
  page.on('request', (request) => seen.requests.push(`${request.method()} ${request.url()}`));
  return seen;
}
