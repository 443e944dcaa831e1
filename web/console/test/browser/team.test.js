// A workspace with several people: the Team page, roles, the switcher, invitations, and colleagues in the inbox.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { addMember, makeSite, sendMessage, signal, startConversation } from '../stub/data.js';
import { serve } from '../stub/serve.js';
import { openBrowser, openPage, signIn } from './browser.js';

let browser, server, world, page;
before(async () => (browser = await openBrowser()));
after(() => browser.close());
beforeEach(async () => {
  server = await serve();
  ({ world } = server);
  page = await openPage(browser, server.url);
});
afterEach(async () => {
  await page.context().close();
  server.stop();
});

const row = (name) => page.locator('a[id^="row-"]', { hasText: name });
const member = (name) => page.getByRole('article', { name, exact: true });
const mei = () => world.conversations.find((c) => c.visitor.nickname === 'Mei Tanaka');
const eventually = async (check) => {
  for (const end = Date.now() + 5_000; ; ) {
    try {
      return await check();
    } catch (problem) {
      if (Date.now() > end) throw problem;
      await new Promise((go) => setTimeout(go, 50));
    }
  }
};
/** Ends every connection and has the next one load everything anew, as the server does when a role changes. */
const resync = () => {
  world.forgotten = true;
  server.cut();
};

test('an invitation is made for chosen sites, its link is shown once, and it can be withdrawn', async () => {
  await signIn(page);
  await page.getByRole('link', { name: 'Team' }).click();
  await page.getByText('1 member, 1 online').waitFor();
  await page.getByRole('button', { name: 'Invite a member' }).click();
  const create = page.getByRole('button', { name: 'Create invitation link' });
  assert.ok(await create.isDisabled());
  await page.getByLabel('For whom?').fill('Karla');
  await page.getByLabel('Admin').check();
  await page.getByLabel('Only chosen sites').check();
  assert.ok(await create.isDisabled(), 'one site at least');
  await page.getByLabel('Acme Docs').check();
  await page.getByLabel('The link works for').selectOption('3');
  await create.click();
  await page.getByText('This link works once and expires on').waitFor();
  assert.match(await page.getByRole('dialog').locator('code').innerText(), /\/invite#invitation/);
  await page.getByRole('button', { name: 'Done' }).click();
  const [made] = world.invitations;
  assert.deepEqual([made.note, made.role, made.sites, Math.round((made.expires_at - made.created_at) / 86_400_000)], ['Karla', 'admin', [world.sites[1].id], 3]);
  await page.getByText('Admin · Acme Docs · invited by Ada').waitFor();
  await page.getByRole('button', { name: 'Withdraw the invitation for Karla' }).click();
  await page.getByText('Open invitations').waitFor({ state: 'detached' });
  assert.deepEqual(page.faults, []);
});

test('a member’s role and sites are changed; deactivated, activated and removed by name', async () => {
  const vera = addMember(world, 'Vera Klein');
  addMember(world, 'Otto');
  await signIn(page);
  await page.goto('/team');
  assert.match(await member('Vera Klein').innerText(), /Operator\s+All sites/);
  const open = () => page.getByRole('button', { name: 'Change Vera Klein' }).click();
  await open();
  const save = page.getByRole('button', { name: 'Save' });
  assert.ok(await save.isDisabled(), 'nothing has changed');
  await page.getByRole('dialog').getByLabel('Viewer').check();
  await page.getByLabel('Only chosen sites').check();
  await page.getByLabel('Northwind Shop').check();
  await save.click();
  await eventually(async () => assert.match(await member('Vera Klein').innerText(), /Viewer\s+Northwind Shop/));
  assert.deepEqual([vera.role, vera.sites], ['viewer', [world.sites[0].id]]);

  await open();
  await page.getByRole('button', { name: 'Deactivate' }).click();
  await page.getByText('Vera Klein was deactivated.').waitFor();
  await member('Vera Klein').getByText('Deactivated').waitFor();
  await open();
  await page.getByRole('button', { name: 'Activate' }).click();
  await member('Vera Klein').getByText('Deactivated').waitFor({ state: 'detached' });
  await open();
  await page.getByRole('button', { name: 'Remove…' }).click();
  await page.getByRole('heading', { name: 'Remove Vera Klein?' }).waitFor();
  await page.getByRole('button', { name: 'Remove from the workspace' }).click();
  await member('Vera Klein').waitFor({ state: 'detached' });
  assert.deepEqual(world.members.map(({ name }) => name), ['Otto']);

  signal(world, { kind: 'member_online', account_id: world.members[0].account_id, online: true });
  await page.getByText('2 members, 2 online').waitFor();
  assert.deepEqual(page.faults, []);
});

test('controls that a role forbids are not there, and its pages say why', async () => {
  addMember(world, 'Vera Klein', { role: 'owner' });
  await signIn(page);
  const has = async (path, name) => {
    await page.goto(path, { waitUntil: 'networkidle' });
    const named = { name, exact: typeof name === 'string' };
    return (await page.getByRole('button', named).or(page.getByRole('link', named)).count()) > 0;
  };
  const talk = `/chat/${mei().site_id}/${mei().id}`;
  const controls = [
    ['/team', /^Change Vera/], ['/team', 'Invite a member'], ['/team', 'Activity log'], ['/team/workspace', 'Transfer ownership…'], ['/team/workspace', /^Delete/],
    ['/team/workspace', 'Leave this workspace…'], ['/sites', 'New site'], ['/sites', 'Appearance'], [talk, 'Close'], [talk, 'Send'],
  ];
  const expected = { owner: '1111111111', admin: '0110011111', operator: '0000010011', viewer: '0000010000' };
  for (const [role, shown] of Object.entries(expected)) {
    world.workspaces[0].role = role;
    let found = '';
    for (const [path, name] of controls) found += Number(await has(path, name));
    assert.deepEqual({ role, found }, { role, found: shown });
  }
  await page.getByText('You can read this conversation.').waitFor();
  await page.goto(`/sites/${world.sites[0].id}/api`);
  await page.getByText('Only admins can change a site').waitFor();
  assert.equal(await page.getByText('chat_').count(), 0);
});

test('a role that changes while the console is open applies at once and is told; an ended membership too', async () => {
  await signIn(page);
  await row('Mei Tanaka').click();
  const reply = page.getByLabel('Reply to Mei Tanaka');
  await reply.waitFor();
  world.workspaces[0].role = 'viewer';
  resync();
  await page.getByText('You are now a viewer in Northwind.').waitFor();
  await page.getByText('You can read this conversation.').waitFor();
  assert.equal(await reply.count(), 0);
  world.workspaces = [{ id: 2, name: 'Fjord', role: 'owner', sites: null }];
  resync();
  await page.getByRole('heading', { name: 'You are no longer a member of Northwind' }).waitFor();
  await page.getByRole('button', { name: 'Check again' }).click();
  await page.getByText('You are still not a member of Northwind.').waitFor();
  await page.getByRole('button', { name: 'Go to Fjord' }).click();
  await page.getByText('Add your first site').waitFor();
});

test('without a workspace the first thing to do is to create one', async () => {
  world.workspaces = [];
  await signIn(page);
  await page.getByText('You are not a member of any workspace').waitFor();
  await page.getByRole('link', { name: 'Account' }).click();
  await page.getByRole('heading', { name: 'Password', exact: true }).waitFor();
  await page.goto('/chat');
  await page.getByRole('button', { name: 'New workspace' }).click();
  await page.getByLabel('Name of the workspace').fill('Fjord');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/sites');
  await page.getByRole('button', { name: 'Create your first site' }).waitFor();
  assert.deepEqual(page.faults, []);
});

test('the switcher works by keyboard, is remembered, and links open the workspace of their site', async () => {
  world.workspaces.push({ id: 2, name: 'Fjord', role: 'admin', sites: null });
  const tours = makeSite(world, 'Fjord Tours', { workspace_id: 2 });
  const talk = startConversation(world, tours, { nickname: 'Ida' });
  sendMessage(world, talk, 'visitor', 'Is there a boat?');
  await signIn(page);
  await row('Mei Tanaka').waitFor();
  assert.equal(await row('Ida').count(), 0);
  await page.getByRole('button', { name: 'Workspace: Northwind' }).press('Enter');
  await page.getByRole('group', { name: 'Workspaces' }).getByRole('button', { name: 'Northwind' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await row('Ida').waitFor();
  assert.equal(await row('Mei Tanaka').count(), 0);
  await page.reload();
  await row('Ida').waitFor();
  await page.goto(`/chat/${mei().site_id}/${mei().id}`);
  await row('Mei Tanaka').waitFor();
  await page.getByText('Could it come before the 1st?').first().waitFor();
  await page.goto(`/sites/${tours.id}`);
  await page.getByRole('heading', { name: 'Fjord Tours' }).waitFor();
  await page.getByRole('button', { name: 'Workspace: Fjord' }).waitFor();
  assert.deepEqual(page.faults, []);
});

test('colleagues on a conversation are shown in the list, the header and above the field, and their messages carry their names', async () => {
  const vera = addMember(world, 'Vera Klein');
  await signIn(page);
  await eventually(() => assert.equal(world.connections.size, 1));
  const place = { site_id: mei().site_id, conversation_id: mei().id, account_id: vera.account_id };
  const view = (typing) => signal(world, { kind: 'viewing', ...place, name: vera.name, typing });
  view(false);
  await row('Mei Tanaka').getByTitle('Vera Klein is viewing this conversation').waitFor();
  await row('Mei Tanaka').click();
  view(true);
  await page.getByText('Vera Klein is typing…').waitFor();
  await page.locator('section header').getByTitle('Vera Klein is viewing this conversation').waitFor();
  sendMessage(world, mei(), 'agent', 'It leaves today.', { name: vera.name, account_id: vera.account_id });
  signal(world, { kind: 'viewing', ...place, name: vera.name, typing: false });
  await page.getByText('Vera Klein is typing…').waitFor({ state: 'detached' });
  await page.getByRole('article', { name: /^Vera Klein, / }).getByText('It leaves today.').waitFor();
  signal(world, { kind: 'left', ...place });
  await page.getByTitle('Vera Klein is viewing this conversation').first().waitFor({ state: 'detached' });

  await page.getByLabel('Reply to Mei Tanaka').pressSequentially('Good');
  const sent = (type) => (world.hints ?? []).filter((hint) => hint.type === type && hint.conversation_id === mei().id);
  await eventually(() => assert.ok(sent('viewing').some(({ typing }) => typing)));
  await page.keyboard.press('Enter');
  await page.getByRole('article', { name: /^You, / }).getByText('Good').waitFor();
  await eventually(() => assert.equal(sent('viewing').at(-1).typing, false));
  await page.getByRole('link', { name: 'My Sites' }).click();
  await eventually(() => assert.equal(sent('left').length, 1));
});

test('whoever is signed in joins with one click; a used link says so; signing in first keeps the invitation', async () => {
  const offer = { workspace: { id: 8, name: 'Fjord' }, role: 'operator', sites: null, note: 'Ada', invited_by: 'Ida', expires_at: Date.now() + 9e8 };
  world.offers.set('a-token', offer);
  await page.goto('/invite#a-token');
  await page.getByText('Ida invites you as an operator for all sites. You can read and answer conversations.').waitFor();
  await page.waitForURL((url) => url.hash === '');
  await page.reload();
  await page.getByRole('link', { name: 'Sign in first' }).click();
  // The invitation has an e-mail field as well.
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByLabel('E-mail').fill(world.account.email);
  await page.getByLabel('Password').fill(world.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Join as Ada' }).click();
  await page.waitForURL('**/chat');
  await page.getByRole('button', { name: 'Workspace: Fjord' }).waitFor();
  await page.goto('/invite#a-token');
  await page.getByRole('heading', { name: 'This invitation doesn’t work' }).waitFor();
  // Another link, pasted into the same tab.
  world.offers.set('b-token', { ...offer, workspace: { id: 9, name: 'Harbour' } });
  await page.evaluate(() => (location.hash = '#b-token'));
  await page.getByRole('heading', { name: 'Join Harbour' }).waitFor();
});

test('the activity log says who did what, and loads older entries', async () => {
  const actions = ['member_invited', 'something_new'];
  for (let id = 120; id > 0; id--) {
    world.audit.push({ id, action: actions[id % 2], account_id: id % 3 ? 5 : null, account_name: id % 3 === 1 ? 'Vera Klein' : null, site_id: null, subject: `number ${id}`, network: '', at: Date.now() - (120 - id) * 60_000 });
  }
  await signIn(page);
  await page.goto('/team/activity');
  const entries = page.locator('main li');
  await page.getByRole('button', { name: 'Load older' }).click();
  await eventually(async () => assert.equal(await entries.count(), 100));
  assert.match(await entries.nth(0).innerText(), /^Invitation created: number 120\s+On the server’s command line/);
  assert.match(await entries.nth(1).innerText(), /^Something new: number 119\s+A deleted account/);
  assert.match(await entries.nth(2).innerText(), /Vera Klein/);
  await page.getByRole('button', { name: 'Load older' }).click();
  await eventually(async () => assert.equal(await entries.count(), 120));
  assert.equal(await page.getByRole('button', { name: 'Load older' }).count(), 0);
});

test('ownership is transferred with the password; the e-mail address too; a photo only where the server keeps it', async () => {
  const vera = addMember(world, 'Vera Klein', { role: 'admin' });
  await signIn(page);
  await page.goto('/account');
  assert.equal(await page.getByRole('button', { name: 'Add a photo' }).count(), 0);
  await page.getByRole('button', { name: 'Change…' }).click();
  await page.getByLabel('New e-mail address').fill('taken@example.com');
  await page.getByRole('dialog').getByLabel('Your password').fill('wrong');
  await page.getByRole('button', { name: 'Change the address' }).click();
  await page.getByRole('dialog').getByText('That is not your password.').waitFor();
  await page.getByRole('dialog').getByLabel('Your password').fill(world.password);
  await page.getByRole('button', { name: 'Change the address' }).click();
  await page.getByText('There is an account with this e-mail already.').waitFor();
  await page.getByLabel('New e-mail address').fill('ada@northwind.example');
  await page.getByRole('button', { name: 'Change the address' }).click();
  await page.getByText('E-mail address changed.').waitFor();
  assert.equal(world.account.email, 'ada@northwind.example');

  await page.goto('/team/workspace');
  await page.getByText('You are the only owner.').waitFor();
  await page.getByRole('button', { name: 'Transfer ownership…' }).click();
  await page.getByText('The new owner will be able to delete the workspace and to remove you, and you become an admin.').waitFor();
  await page.getByLabel('New owner').selectOption(String(vera.account_id));
  await page.getByRole('dialog').getByLabel('Your password').fill(world.password);
  await page.getByRole('dialog').getByRole('button', { name: 'Transfer ownership' }).click();
  await page.getByText('You are now an admin in Northwind.').waitFor();
  await page.getByRole('heading', { name: 'Delete this workspace' }).waitFor({ state: 'detached' });
  assert.equal(vera.role, 'owner');

  world.account.photo = null;
  await page.goto('/account');
  await page.getByRole('button', { name: 'Add a photo' }).waitFor();
});

test('a colleague’s photo is in the thread and in the circles of viewers, with one request for the members', async () => {
  const dot = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  world.images.set('vera.png', { raw: dot, type: 'image/png' });
  const vera = addMember(world, 'Vera Klein', { photo: '/uploads/photos/vera.png' });
  const asked = [];
  page.on('request', (request) => request.url().endsWith('/members') && asked.push(request.url()));
  await signIn(page);
  await row('Mei Tanaka').click();
  await page.getByLabel('Reply to Mei Tanaka').waitFor();
  await eventually(() => assert.equal(world.connections.size, 1));
  sendMessage(world, mei(), 'agent', 'It leaves today.', { name: vera.name, account_id: vera.account_id });
  signal(world, { kind: 'viewing', site_id: mei().site_id, conversation_id: mei().id, account_id: vera.account_id, name: vera.name, typing: false });
  const photo = 'img[src="/uploads/photos/vera.png"]';
  await page.getByRole('article', { name: /^Vera Klein, / }).locator(photo).waitFor();
  await page.locator('section header').getByTitle('Vera Klein is viewing this conversation').locator(photo).waitFor();
  assert.equal(asked.length, 1);

  world.account.photo = null;
  await page.goto('/account');
  await page.getByText('Visitors see your name beside your replies. Only your colleagues see the photo.').waitFor();
});

test('the Team page follows what others change; a dialog about somebody who has left says so and closes', async () => {
  const [vera, otto] = [addMember(world, 'Vera Klein'), addMember(world, 'Otto')];
  const remove = (gone) => (world.members = world.members.filter((m) => m !== gone));
  const change = () => signal(world, { kind: 'team_changed' });
  await signIn(page);
  await page.goto('/team');
  await member('Otto').waitFor();
  await eventually(() => assert.equal(world.connections.size, 1));
  addMember(world, 'Ida');
  world.invitations.push({ id: 1, note: 'Karla', role: 'viewer', sites: null, invited_by: 'Vera Klein', created_at: Date.now(), expires_at: Date.now() + 9e8 });
  change();
  await member('Ida').waitFor();
  await page.getByText('Viewer · All sites · invited by Vera Klein').waitFor();

  const dialog = page.getByRole('dialog');
  await page.getByRole('button', { name: 'Change Vera Klein' }).click();
  await dialog.getByRole('button', { name: 'Deactivate' }).waitFor();
  remove(vera);
  change();
  await page.getByText('Vera Klein is no longer in this workspace.').waitFor();
  await dialog.waitFor({ state: 'detached' });

  // Before the signal has arrived.
  await page.getByRole('button', { name: 'Change Otto' }).click();
  remove(otto);
  await dialog.getByRole('button', { name: 'Deactivate' }).click();
  await page.getByText('Otto is no longer in this workspace.').waitFor();
  await member('Otto').waitFor({ state: 'detached' });
  assert.equal(await page.getByText('Not found.').count(), 0);

  // Of what was missed, a resync tells.
  addMember(world, 'Nora');
  world.invitations = [];
  resync();
  await member('Nora').waitFor();
  await page.getByText('Open invitations').waitFor({ state: 'detached' });

  await page.goto('/team/workspace');
  await page.getByRole('button', { name: 'Transfer ownership…' }).click();
  const nora = world.members.find(({ name }) => name === 'Nora');
  await page.getByLabel('New owner').selectOption(String(nora.account_id));
  remove(nora);
  await dialog.getByLabel('Your password').fill(world.password);
  await dialog.getByRole('button', { name: 'Transfer ownership' }).click();
  await page.getByText('Nora is no longer in this workspace.').waitFor();
  await dialog.waitFor({ state: 'detached' });
});

test('a viewer who has a conversation open is shown to colleagues', async () => {
  world.workspaces[0].role = 'viewer';
  await signIn(page);
  await row('Mei Tanaka').click();
  await page.getByText('You can read this conversation.').waitFor();
  const sent = (type) => (world.hints ?? []).filter((hint) => hint.type === type && hint.conversation_id === mei().id);
  await eventually(() => assert.deepEqual(sent('viewing').map(({ typing }) => typing).slice(0, 1), [false]));
  await page.getByRole('link', { name: 'My Sites' }).click();
  await eventually(() => assert.equal(sent('left').length, 1));
});

test('an invitation names its sites, claims nothing untrue of a viewer, and tells a member that they are one', async () => {
  const names = ['Northwind Shop', 'Acme Docs', 'Harbour Hotel'];
  makeSite(world, names[2]);
  const ids = world.sites.map(({ id }) => id);
  const offer = (role, sites, id = 8) => ({ workspace: { id, name: id === 8 ? 'Fjord' : 'Northwind' }, role, sites, note: 'Ada', invited_by: 'Ida', expires_at: Date.now() + 9e8 });
  world.offers.set('one', offer('viewer', ids.slice(0, 1)));
  world.offers.set('three', offer('operator', ids));
  world.offers.set('own', offer('operator', null, 1));
  await page.goto('/invite#one');
  await page.getByText('Ida invites you as a viewer for Northwind Shop. You can read').waitFor();
  await page.getByText('At least 10 characters.').waitFor();
  assert.equal(await page.getByText('beside your replies').count(), 0);
  await page.evaluate(() => (location.hash = '#three'));
  await page.getByText(`as an operator for 3 sites: ${names.join(', ')}. You can`).waitFor();
  await page.getByText('Visitors see it beside your replies.').waitFor();
  await signIn(page);
  await page.goto('/invite#own');
  await page.getByRole('button', { name: 'Join as Ada' }).click();
  await page.getByRole('heading', { name: 'You are already a member of Northwind' }).waitFor();
  await page.getByRole('button', { name: 'Open Northwind' }).click();
  await row('Mei Tanaka').waitFor();
  assert.ok(world.offers.has('own'));
});

test('the company named at sign-up names the workspace, and a forgotten password has a way', async () => {
  await page.goto('/login');
  await page.getByText('Forgot your password? Ask the person who runs this server for a link that sets a new one.').waitFor();
  await page.getByRole('link', { name: 'Create an account' }).click();
  await page.getByLabel('Company or team (optional)').fill('Honey & Co');
  await page.getByText('You can rename it later.').waitFor();
  await page.getByText('At least 10 characters.').waitFor();
  await page.getByLabel('E-mail').fill('bea@honey.example');
  await page.getByLabel('Password').fill('a sentence that is long');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/sites');
  assert.equal(world.workspaces[0].name, 'Honey & Co');
  await page.goto('/account');
  await page.getByText('At least 10 characters.').waitFor();
});

test('leaving and deleting a workspace are told on the page that follows', async () => {
  addMember(world, 'Vera Klein', { role: 'owner' });
  world.workspaces.push({ id: 2, name: 'Fjord', role: 'owner', sites: null });
  world.secondFactor = true;
  await signIn(page).catch(() => {});
  const code = page.getByLabel('Code');
  await code.waitFor();
  assert.ok(await code.evaluate((input) => input === document.activeElement), 'the cursor is where the code goes');
  await code.fill('123456');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/chat');
  await page.goto('/team/workspace');
  await page.getByRole('button', { name: 'Leave this workspace…' }).click();
  await page.getByRole('button', { name: 'Leave the workspace' }).click();
  await page.getByText('You left Northwind.').waitFor();

  world.members = [];
  await page.goto('/team/workspace');
  await page.getByRole('button', { name: /^Delete Fjord/ }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('This deletes the workspace for all members. It has no sites.').waitFor();
  assert.equal(await dialog.getByText('disappears from your pages').count(), 0);
  await dialog.getByLabel('Type the name of the workspace').fill('Fjord');
  await dialog.getByLabel('Your password').fill(world.password);
  await dialog.getByRole('button', { name: 'Delete everything permanently' }).click();
  await dialog.getByText('Enter the code from your authenticator app as well.').waitFor();
  assert.ok(await dialog.getByLabel('Authentication code').evaluate((input) => input === document.activeElement));
  await page.keyboard.type('123456');
  await page.keyboard.press('Enter');
  await page.getByText('Fjord was deleted.').waitFor();
  await page.reload();
  await page.getByText('You are not a member of any workspace').waitFor();
  assert.equal(await page.getByText('Fjord was deleted.').count(), 0, 'told once');
});

test('an account that others’ workspace needs is not deleted, and the form says why', async () => {
  addMember(world, 'Vera Klein');
  await signIn(page);
  await page.goto('/account');
  await page.getByRole('button', { name: 'Delete my account…' }).click();
  const dialog = page.getByRole('dialog');
  const password = dialog.getByLabel('Your password');
  await dialog.getByLabel('Type your e-mail address').fill(world.account.email);
  await password.fill('wrong');
  await dialog.getByRole('button', { name: 'Delete everything permanently' }).click();
  await dialog.getByText('That is not your password.').waitFor();
  assert.equal(await password.getAttribute('aria-invalid'), 'true');
  await password.fill(world.password);
  await dialog.getByRole('button', { name: 'Delete everything permanently' }).click();
  await dialog.getByRole('alert').getByText('A workspace needs an owner.').waitFor();
  assert.equal(await password.getAttribute('aria-invalid'), null);
});
