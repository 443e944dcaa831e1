import type { Me, MembershipView } from '@ocs/protocol/wire';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api } from '../../src/lib/api/console-api';
import { inWorkspace, setMembershipListener } from '../../src/lib/api/request';
import { account } from '../../src/lib/state/account.svelte';
import { readStored, writeStored } from '../../src/lib/state/browser-storage';
import { toasts } from '../../src/lib/state/toasts.svelte';
import { mayManage, rolesUpTo, workspace } from '../../src/lib/state/workspace.svelte';

const northwind: MembershipView = { id: 4, name: 'Northwind', role: 'operator', sites: null };
const fjord: MembershipView = { id: 9, name: 'Fjord', role: 'owner', sites: null };

function me(...workspaces: MembershipView[]): Me {
  return { account: { id: 1, email: 'otto@shop.example', name: 'Otto', photo: null, created_at: 0 }, workspaces, csrf: 'c', session_id: 1, public_url: 'http://x', insecure: false };
}

beforeEach(() => {
  vi.restoreAllMocks();
  workspace.leave();
  toasts.list = [];
  writeStored('ocs.workspace', null);
});

afterEach(() => vi.unstubAllGlobals());

it('the oldest workspace is entered first, later the one that was chosen', () => {
  account.set(me(northwind, fjord));
  workspace.enter();
  expect(workspace.current).toEqual(northwind);
  expect(inWorkspace('my-sites')).toBe('workspaces/4/my-sites');
  expect(inWorkspace()).toBe('workspaces/4');

  const opened = vi.fn();
  vi.stubGlobal('location', { assign: opened });
  workspace.open(9, '/sites');
  expect(opened).toHaveBeenCalledWith('/sites');
  expect(readStored('ocs.workspace')).toBe('9');
  // The page keeps its workspace until it is loaded again.
  expect(workspace.current).toEqual(northwind);
  workspace.leave();
  workspace.enter();
  expect(workspace.current).toEqual(fjord);
});

it('a remembered workspace that one is no longer in is not entered', () => {
  writeStored('ocs.workspace', '77');
  account.set(me(fjord));
  workspace.enter();
  expect(workspace.current).toEqual(fjord);
});

it('each role may do what those before it may', () => {
  account.set(me({ ...northwind, role: 'admin' }));
  workspace.enter();
  expect((['viewer', 'operator', 'admin', 'owner'] as const).map((role) => workspace.may(role))).toEqual([true, true, true, false]);
  expect(rolesUpTo('admin')).toEqual(['viewer', 'operator', 'admin']);
  const member = { account_id: 2, name: 'Vera', email: 'v@x', photo: null, sites: null, active: true, online: false, created_at: 0, me: false };
  expect(mayManage({ ...member, role: 'admin' })).toBe(true);
  expect(mayManage({ ...member, role: 'owner' })).toBe(false);
});

it('a changed role is told once, and only what changed', async () => {
  account.set(me(northwind));
  workspace.enter();
  vi.spyOn(api, 'me').mockResolvedValue(me({ ...northwind, role: 'viewer' }));
  await Promise.all([workspace.refresh(), workspace.refresh()]);
  await workspace.refresh();
  expect(toasts.list.map(({ text }) => text)).toEqual(['You are now a viewer in Northwind. You can read conversations, but not answer them.']);
  vi.spyOn(api, 'me').mockResolvedValue(me({ ...northwind, role: 'viewer', sites: [1] }));
  await workspace.refresh();
  expect(toasts.list.at(-1)?.text).toBe('You now have access to 1 site of Northwind.');
});

it('a membership that ended names the workspace, and no other one takes its place', async () => {
  account.set(me(northwind, fjord));
  workspace.enter();
  vi.spyOn(api, 'me').mockResolvedValue(me(fjord));
  await workspace.refresh();
  expect(workspace.current).toBe(null);
  expect(workspace.lost).toBe('Northwind');
  expect(workspace.may('viewer')).toBe(false);
  expect(inWorkspace('my-sites')).toBe('workspaces/4/my-sites');
});

it('a refusal because of the role, or a workspace that is not found, asks for the memberships again', async () => {
  const changed = vi.fn();
  setMembershipListener(changed);
  const answer = (status: number, code: string) => vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ error: { code, message: 'no' } }), { status }));
  answer(403, 'role_required');
  await expect(api.close(1, 2)).rejects.toThrow('no');
  answer(404, 'not_found');
  await expect(api.mySites()).rejects.toThrow('no');
  expect(changed).toHaveBeenCalledTimes(2);
  await expect(api.site(7)).rejects.toThrow('no');
  expect(changed).toHaveBeenCalledTimes(2);
});

it('the workspace of a site elsewhere is found', async () => {
  const answer = (status: number, body: unknown) => vi.stubGlobal('fetch', async () => new Response(JSON.stringify(body), { status }));
  answer(200, { id: 31, workspace_id: 9 });
  expect(await workspace.ofSite(31)).toBe(9);
  answer(404, { error: { code: 'not_found', message: 'no' } });
  expect(await workspace.ofSite(32)).toBe(null);
});
