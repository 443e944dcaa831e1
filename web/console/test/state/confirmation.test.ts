import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { NotConfirmed, setConfirmationPrompt } from '../../src/lib/api/request';
import { confirmation } from '../../src/lib/state/confirmation.svelte';

const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status });
const asksFor = (field: string) => answer(403, { error: { code: 'confirmation_required', message: 'confirm that it is you', field } });
const asked = vi.fn<typeof fetch>();
const sent = () => asked.mock.calls.map(([path, options]) => `${options?.method} ${String(path).replace('/api/console/', '')}`);

beforeEach(() => {
  vi.stubGlobal('fetch', asked.mockReset());
  setConfirmationPrompt((refusal) => confirmation.request(refusal));
});

afterEach(() => vi.unstubAllGlobals());

it('a request that requires confirmation is repeated after the password was entered', async () => {
  asked.mockResolvedValueOnce(asksFor('password')).mockResolvedValueOnce(answer(200, {})).mockResolvedValueOnce(answer(200, { done: true }));
  const deleted = api.deleteSite(7);
  await vi.waitFor(() => expect(confirmation.requested).toBe('password'));
  await confirmation.submit('correct horse battery');
  expect(await deleted).toEqual({ done: true });
  expect(sent()).toEqual(['DELETE sites/7', 'POST account/confirm', 'DELETE sites/7']);
  expect(asked.mock.calls[1]?.[1]?.body).toBe('{"password":"correct horse battery"}');
  expect(confirmation.requested).toBe(null);
});

it('a wrong code shows an error and can be corrected', async () => {
  asked.mockResolvedValueOnce(asksFor('code')).mockResolvedValueOnce(answer(401, { error: { code: 'wrong_code', message: 'not right', field: 'code' } }));
  const made = api.newIdentitySecret(7);
  await vi.waitFor(() => expect(confirmation.requested).toBe('code'));
  await expect(confirmation.submit('000000')).rejects.toThrow('not right');
  expect(confirmation.requested).toBe('code');
  asked.mockResolvedValueOnce(answer(200, {})).mockResolvedValueOnce(answer(200, { secret: 'ids_x' }));
  await confirmation.submit('123456');
  expect(await made).toEqual({ secret: 'ids_x' });
});

it('cancelling changes nothing and says so', async () => {
  asked.mockImplementation(async () => asksFor('password'));
  const both = [api.deleteSite(7), api.newIdentitySecret(7)].map((call) => expect(call).rejects.toThrow(NotConfirmed));
  await vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(2));
  await vi.waitFor(() => expect(confirmation.requested).toBe('password'));
  confirmation.cancel();
  await Promise.all(both);
  expect(asked).toHaveBeenCalledTimes(2);
});
