import { Refusal } from '@ocs/protocol';
import { expect, it } from 'vitest';
import { counted } from '../../src/lib/words/count';
import { leftWords } from '../../src/lib/words/attack';
import { wordsOf } from '../../src/lib/words/problem';

it('counts one thing as one and writes large numbers out', () => {
  expect([0, 1, 2, 12_345].map((many) => counted(many, 'message'))).toEqual(['0 messages', '1 message', '2 messages', '12,345 messages']);
  expect(leftWords({ conversations: 1 } as never)).toBe('1 conversation is removed.');
  expect(leftWords({ conversations: 2_000 } as never)).toBe('2,000 conversations are removed.');
});

it('makes a sentence of the server’s words and leaves ours alone', () => {
  expect(wordsOf(new Refusal(400, 'invalid_request', 'name: a name is needed'))).toBe('Name: a name is needed.');
  expect(wordsOf(new Error('holiday.heic is not a png, jpg or gif picture.'))).toBe('holiday.heic is not a png, jpg or gif picture.');
});
