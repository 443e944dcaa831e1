import type { OperatorHint } from '@ocs/protocol/wire';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { account } from '../../src/lib/state/account.svelte';
import { colleagues } from '../../src/lib/state/colleagues.svelte';
import { applySignal } from '../../src/lib/state/event-dispatch';
import { OwnViewing } from '../../src/lib/state/own-viewing';

const place = { site_id: 1, conversation_id: 7 };
const viewing = (account_id: number, name: string, typing = false) => applySignal({ kind: 'viewing', ...place, account_id, name, typing });
const shown = () => colleagues.viewing('1/7').map(({ name, typing }) => (typing ? `${name} types` : name));

beforeEach(() => {
  vi.useFakeTimers();
  colleagues.clear();
  account.set({ account: { id: 1, email: 'otto@shop.example', name: 'Otto', photo: null, created_at: 0 }, workspaces: [], csrf: 'c', session_id: 1, public_url: 'http://x', insecure: false });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('colleagues are shown while they renew, and dropped ten seconds later', () => {
  viewing(2, 'Vera');
  viewing(3, 'Max');
  vi.advanceTimersByTime(6_000);
  viewing(2, 'Vera');
  vi.advanceTimersByTime(6_000);
  expect(shown()).toEqual(['Vera']);
  vi.advanceTimersByTime(4_000);
  expect(shown()).toEqual([]);
});

it('one who leaves is gone at once; oneself is never shown', () => {
  viewing(2, 'Vera');
  viewing(1, 'Otto');
  expect(shown()).toEqual(['Vera']);
  applySignal({ kind: 'left', ...place, account_id: 2 });
  expect(shown()).toEqual([]);
});

it('typing ends when it is said to end, or when nothing more is said', () => {
  viewing(2, 'Vera', true);
  expect(shown()).toEqual(['Vera types']);
  viewing(2, 'Vera', false);
  expect(shown()).toEqual(['Vera']);
  viewing(2, 'Vera', true);
  vi.advanceTimersByTime(6_000);
  expect(shown()).toEqual(['Vera']);
});

it('an open conversation is renewed every five seconds while it is on the screen', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.stubGlobal('document', page);
  const sent: OperatorHint[] = [];
  const own = new OwnViewing();
  own.publishVia((hint) => sent.push(hint));
  own.open(place);
  vi.advanceTimersByTime(10_000);
  expect(sent).toEqual([0, 1, 2].map(() => ({ type: 'viewing', ...place, typing: false })));
  sent.length = 0;

  // Typing is sent at most every two seconds, and its end at once.
  for (const draft of ['H', 'Ha', 'Hal']) own.typing(draft);
  vi.advanceTimersByTime(2_000);
  own.typing('Hall');
  own.typing('');
  own.typing('');
  expect(sent.map((hint) => hint.type === 'viewing' && hint.typing)).toEqual([true, true, false]);
  sent.length = 0;

  page.visibilityState = 'hidden';
  page.dispatchEvent(new Event('visibilitychange'));
  vi.advanceTimersByTime(20_000);
  expect(sent).toEqual([{ type: 'left', ...place }]);
  page.visibilityState = 'visible';
  page.dispatchEvent(new Event('visibilitychange'));
  own.close(place);
  vi.advanceTimersByTime(20_000);
  expect(sent.map(({ type }) => type)).toEqual(['left', 'viewing', 'left']);
});
