// Real browsers. Each person has a profile of their own.
import { chromium } from './packages.js';

export function openBrowser(args = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-quic', '--disable-background-networking', ...args],
    // Left in by the driver, it would switch off what "back" must bring back.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** Faults that a page showed, and what it asked for. */
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
