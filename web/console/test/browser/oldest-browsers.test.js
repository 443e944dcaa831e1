// Compares the built console with the oldest browsers that it supports (web/console/oldest-browsers.json).
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { serve } from '../stub/serve.js';
import { openBrowser, openPage } from './browser.js';

const oldest = JSON.parse(await readFile(new URL('../../oldest-browsers.json', import.meta.url), 'utf8'));
const built = new URL('../../../dist/console/', import.meta.url);

/** Features of recent years: name, pattern in built code, and the first Chrome, Firefox and Safari with it (MDN). */
const features = [
  ['light-dark()', /light-dark\(/, [123, 120, 17.5]],
  ['popover', /\bpopover(?:target)?\b|:popover-open/, [114, 125, 17]],
  [':has()', /:has\(/, [105, 121, 15.4]],
  [':dir()', /:dir\(/, [120, 49, 16.4]],
  ['nesting', /&:|& [.>]/, [120, 117, 17.2]],
  ['color-mix()', /color-mix\(/, [111, 113, 16.2]],
  ['dvh', /\ddvh/, [108, 101, 15.4]],
  ['container queries', /@container/, [105, 110, 16]],
  ['structuredClone', /structuredClone\(/, [98, 94, 15.4]],
  ['Object.groupBy', /(?:Object|Map)\.groupBy\(/, [117, 119, 17.4]],
  ['Promise.withResolvers', /Promise\.withResolvers/, [119, 121, 17.4]],
  ['toSorted', /\.to(?:Sorted|Reversed|Spliced)\(/, [110, 115, 16]],
  ['roundRect', /\.roundRect\(/, [99, 113, 16]],
  ['inert', /\binert\b/, [102, 112, 15.5]],
  // Without it, web/ui/composer/Composer.svelte measures the field.
  ['field-sizing', /field-sizing/, [0, 0, 0]],
  // Not used yet: using one of these fails the test below until oldest-browsers.json is raised.
  ['@starting-style', /@starting-style/, [117, 129, 17.5]],
  ['@property', /@property/, [85, 128, 16.4]],
  ['@scope', /@scope/, [118, 146, 17.4]],
  ['relative colours', /(?:rgb|hsl|oklch|lab|color)\(from /, [119, 128, 16.4]],
  ['anchors', /anchor-name|position-anchor|anchor\(/, [125, 147, 26]],
  ['calc-size()', /calc-size\(|interpolate-size/, [129, 999, 999]],
  ['text-box', /text-box(?:-trim)?:/, [133, 999, 18.2]],
  ['commands of buttons', /commandfor=|commandForElement/, [135, 144, 26.2]],
  ['closedby', /closedby/i, [134, 141, 999]],
  ['methods of sets', /\.(?:isSubsetOf|isSupersetOf|symmetricDifference|isDisjointFrom)\(/, [122, 127, 17]],
  ['Promise.try', /Promise\.try\(/, [128, 134, 18.2]],
  ['RegExp.escape', /RegExp\.escape\(/, [136, 134, 18.2]],
  ['base64 of bytes', /\.(?:fromBase64|toBase64|fromHex|toHex)\(/, [140, 133, 18.2]],
  ['URLPattern', /new URLPattern/, [95, 142, 26]],
  ['navigation', /\bnavigation\.(?:navigate|addEventListener)\(/, [102, 147, 26.2]],
  ['view transitions', /startViewTransition\(\{/, [125, 144, 18.2]],
];

async function builtText() {
  const names = (await readdir(built, { recursive: true })).filter((name) => /\.(?:js|css|html)$/.test(name));
  return (await Promise.all(names.map((name) => readFile(new URL(name, built), 'utf8')))).join('\n');
}

test('the built console needs exactly the browsers in oldest-browsers.json', async () => {
  const text = await builtText();
  const used = features.filter(([, pattern]) => pattern.test(text));
  const [chrome, firefox, safari] = [0, 1, 2].map((at) => Math.max(...used.map(([, , since]) => since[at])));
  assert.deepEqual({ chrome: String(chrome), firefox: String(firefox), safari: String(safari) }, oldest, used.map(([name]) => name).join(', '));
});

test('the notice and the README name the oldest browsers', async () => {
  const versions = `Chrome or Edge ${oldest.chrome}, Firefox ${oldest.firefox}, Safari ${oldest.safari}`;
  for (const file of [new URL('index.html', built), new URL('../../../../README.md', import.meta.url)]) {
    assert.ok((await readFile(file, 'utf8')).replace(/\s+/g, ' ').includes(versions), `${file.pathname} says: ${versions}`);
  }
});

test('only a browser that is too old shows the notice', async (t) => {
  const [browser, server] = await Promise.all([openBrowser(), serve()]);
  t.after(() => Promise.all([browser.close(), server.stop()]));
  const page = await openPage(browser, server.url);
  await page.goto('/login');
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal(await page.locator('#too-old').isVisible(), false);
  const old = await openPage(browser, server.url);
  await old.addInitScript(() => delete HTMLElement.prototype.popover);
  await old.goto('/login');
  await old.getByText('This browser is too old for the console').waitFor();
});
