import { expect, it } from 'vitest';
import pairs from '../../../../tests/fixtures/contrast.json';
import { knownVisitors, oneTag, policyLines, snippet } from '../../src/routes/(console)/sites/[id]/embed';
import { contrastOf, nearestReadable } from '../../src/routes/(console)/sites/[id]/look/contrast';
import { isSameName } from '../../src/lib/strings/same-name';
import { covers, hostOf, portOf } from '../../src/routes/(console)/sites/[id]/security/host';

it('the snippet equals the documented one, with host and key filled in and without the sample visitor', () => {
  expect(snippet('https://chat.example', 'KEY')).toBe(
    [
      '<script>(function(){',
      "  var s = document.createElement('script');",
      "  s.src = 'https://chat.example/api/widget.js?key=KEY';",
      '  s.async = true; document.head.appendChild(s);',
      '})();</script>',
    ].join('\n'),
  );
  expect(knownVisitors.split('\n').filter((line) => !line.startsWith('//'))).toEqual(['<script>', '</script>']);
  expect(oneTag('https://chat.example', 'KEY')).toContain('<script async src="https://chat.example/api/widget.js?key=KEY"');
  expect(policyLines('https://chat.example')).toContain('connect-src https://chat.example wss://chat.example;');
});

it('contrast is computed as WCAG defines it', () => {
  expect(contrastOf('#ffffff', '#000000')).toBeCloseTo(21);
  expect(contrastOf('#2563eb', '#ffffff')).toBeCloseTo(5.17, 1);
});

it('suggests the same readable colour as the server', () => {
  for (const [text, background, nearest] of pairs) expect(nearestReadable(text!, background!), `${text} on ${background}`).toBe(nearest);
});

it('extracts the host name from pasted text', () => {
  expect(hostOf(' https://Shop.Example/cart?x ')).toBe('shop.example');
  expect(hostOf('*.shop.example')).toBe('*.shop.example');
  expect(hostOf('bücher.example')).toBe('xn--bcher-kva.example');
  expect(hostOf('not a host')).toBe(null);
});

it('knows which pages a list of domains covers, as the server does', () => {
  expect(covers([], 'http://anything.example')).toBe(true);
  expect(covers(['shop.example'], 'https://shop.example:8443')).toBe(true);
  expect(covers(['shop.example'], 'https://www.shop.example')).toBe(false);
  expect(covers(['*.shop.example'], 'https://www.shop.example')).toBe(true);
  expect(covers(['*.shop.example'], 'https://shop.example')).toBe(false);
  expect([portOf('https://shop.example:8443/x'), portOf('localhost:3000'), portOf('shop.example'), portOf('https://shop.example/a:1')]).toEqual(['8443', '3000', null, null]);
});

it('takes the name of a site as people type it', () => {
  expect(isSameName('  olga\'s  SHOP ', 'Olga’s Shop')).toBe(true);
  expect(isSameName('Olga', 'Olga’s Shop')).toBe(false);
});
