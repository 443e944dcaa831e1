import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { door } from '../../src/lib/api/door';
import { NotConfirmed, whenAskedAgain } from '../../src/lib/api/request';
import { confirmation } from '../../src/lib/state/confirmation.svelte';

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const asksFor = (field: string) => answer(403, { error: { code: 'confirmation_required', message: 'confirm that it is you', field } });
const asked = vi.fn<typeof fetch>();
const sent = () => asked.mock.calls.map(([path, options]) => `${options?.method} ${String(path).replace('/api/console/', '')}`);

beforeEach(() => {
  vi.stubGlobal('fetch', asked.mockReset());
  whenAskedAgain((refusal) => confirmation.ask(refusal));
});

afterEach(() => vi.unstubAllGlobals());

it('what the server asked about again is done after the password was shown', async () => {
  asked.mockResolvedValueOnce(asksFor('password')).mockResolvedValueOnce(answer(200, {})).mockResolvedValueOnce(answer(200, { done: true }));
  const deleted = door.deleteSite(7);
  await vi.waitFor(() => expect(confirmation.asked).toBe('password'));
  await confirmation.show('correct horse battery');
  expect(await deleted).toEqual({ done: true });
  expect(sent()).toEqual(['DELETE sites/7', 'POST account/confirm', 'DELETE sites/7']);
  expect(asked.mock.calls[1]?.[1]?.body).toBe('{"password":"correct horse battery"}');
  expect(confirmation.asked).toBe(null);
});

it('a wrong code is said, and may be tried again', async () => {
  asked.mockResolvedValueOnce(asksFor('code')).mockResolvedValueOnce(answer(401, { error: { code: 'wrong_code', message: 'not right', field: 'code' } }));
  const made = door.newIdentitySecret(7);
  await vi.waitFor(() => expect(confirmation.asked).toBe('code'));
  await expect(confirmation.show('000000')).rejects.toThrow('not right');
  expect(confirmation.asked).toBe('code');
  asked.mockResolvedValueOnce(answer(200, {})).mockResolvedValueOnce(answer(200, { secret: 'ids_x' }));
  await confirmation.show('123456');
  expect(await made).toEqual({ secret: 'ids_x' });
});

it('who goes away has changed nothing and is told so', async () => {
  asked.mockImplementation(async () => asksFor('password'));
  const both = [door.deleteSite(7), door.newIdentitySecret(7)].map((call) => expect(call).rejects.toThrow(NotConfirmed));
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(2));
  await vi.waitFor(() => expect(confirmation.asked).toBe('password'));
  confirmation.leave();
  await Promise.all(both);
  expect(asked).toHaveBeenCalledTimes(2);
});
