import { readFileSync } from 'node:fs';
import { ApiError } from '@ocs/protocol';
import { expect, it } from 'vitest';
import { auditActionText } from '../../src/lib/strings/audit';
import { pluralize } from '../../src/lib/strings/count';
import { cleanUpText } from '../../src/lib/strings/abuse';
import { errorText } from '../../src/lib/strings/problem';

it('pluralizes and groups digits', () => {
  expect([0, 1, 2, 12_345].map((many) => pluralize(many, 'message'))).toEqual(['0 messages', '1 message', '2 messages', '12,345 messages']);
  expect(cleanUpText({ conversations: 1 } as never)).toBe('1 conversation will be deleted.');
  expect(cleanUpText({ conversations: 2_000 } as never)).toBe('2,000 conversations will be deleted.');
});

it('turns server messages into sentences and leaves the console’s own unchanged', () => {
  expect(errorText(new ApiError(400, 'invalid_request', 'name: a name is needed'))).toBe('Name: a name is needed.');
  expect(errorText(new Error('holiday.heic is not a png, jpg or gif picture.'))).toBe('holiday.heic is not a png, jpg or gif picture.');
});

it('names each action of the audit log', () => {
  const server = readFileSync(new URL('../../../../src/audit/mod.rs', import.meta.url), 'utf8');
  const actions = [...server.matchAll(/Action::\w+ => "(\w+)"/g)].map(([, action]) => action!);
  expect(actions).toContain('session_confirmed');
  expect(actions.filter((action) => auditActionText(action) === action.replaceAll('_', ' '))).toEqual([]);
});
