import { expect, it } from 'vitest';
import pairs from '../../../../tests/fixtures/contrast.json';
import { knownVisitors, oneTag, policyLines, snippet } from '../../src/routes/(console)/sites/[id]/embed';
import { contrastOf, nearestReadable } from '../../src/routes/(console)/sites/[id]/look/contrast';
import { hostOf } from '../../src/routes/(console)/sites/[id]/security/host';

it('the snippet is the contract’s, with host and key filled in and without its sample visitor', () => {
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

it('contrast is counted as WCAG does', () => {
  expect(contrastOf('#ffffff', '#000000')).toBeCloseTo(21);
  expect(contrastOf('#2563eb', '#ffffff')).toBeCloseTo(5.17, 1);
});

it('offers the readable colour that the server offers', () => {
  for (const [text, background, nearest] of pairs) expect(nearestReadable(text!, background!), `${text} on ${background}`).toBe(nearest);
});

it('takes the host name out of what was pasted', () => {
  expect(hostOf(' https://Shop.Example/cart?x ')).toBe('shop.example');
  expect(hostOf('*.shop.example')).toBe('*.shop.example');
  expect(hostOf('bücher.example')).toBe('xn--bcher-kva.example');
  expect(hostOf('not a host')).toBe(null);
});
