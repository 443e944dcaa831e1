// Several people in one workspace: invitations, roles, sites, and two of them on one conversation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { snippetWith } from '../support/pages.js';
import { password } from '../support/server.js';
import { scene } from '../support/scene.js';

const here = scene();

/** A new person, who creates an account through an invitation link and is then in the inbox. */
async function joins(link, name) {
  const person = await here.operator(null);
  const { page } = person;
  await page.goto(link);
  await page.getByLabel('Your name').fill(name);
  person.email = `${name.toLowerCase()}${Math.random().toString(36).slice(2, 8)}@shop.example`;
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Create account and join' }).click();
  await page.getByRole('heading', { name: 'Inbox' }).waitFor();
  return person;
}

async function visitorOf(site, nickname) {
  const visitor = await here.visitor();
  await visitor.visit(here.page(site, { head: snippetWith(here.url, site.key, { nickname }) }));
  return visitor.open();
}

const memberOf = async (shop, email) => (await shop.api.inWorkspace('GET', 'members')).members.find((member) => member.email === email);
const change = async (shop, person, to) => shop.api.inWorkspace('PATCH', `members/${(await memberOf(shop, person.email)).account_id}`, to);

test('an invitation link from the Team page works once: Vera creates an account with it, answers, and appears online', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  await otto.page.getByRole('link', { name: 'Team' }).click();
  await otto.page.getByRole('button', { name: 'Invite a member' }).click();
  const dialog = otto.page.getByRole('dialog', { name: 'Invite a member' });
  await dialog.getByLabel('For whom?').fill('Vera Klein');
  await dialog.getByRole('button', { name: 'Create invitation link' }).click();
  await otto.page.getByText('This link works once and expires').waitFor();
  const link = await otto.page.getByRole('dialog').locator('code').innerText();
  await otto.page.getByRole('button', { name: 'Done' }).click();
  await otto.page.getByText('Vera Klein', { exact: true }).waitFor();

  const vera = await joins(link, 'Vera');
  assert.equal(new URL(vera.page.url()).hash, '');
  const john = await visitorOf(shop, 'John');
  await john.write('Is anybody there?');
  await vera.turnTo('John');
  await vera.write('Vera is');
  await john.reads('Vera is');
  await john.page.locator('ocs-chat .who', { hasText: 'Vera' }).waitFor();

  await otto.page.reload();
  const row = otto.page.getByRole('article', { name: 'Vera', exact: true });
  await row.getByText(', online').waitFor({ state: 'attached' });
  assert.match(await row.innerText(), /Operator[\s\S]*All sites/);
  assert.equal(await otto.page.getByText('Open invitations').count(), 0);
  await vera.page.context().close();
  await row.getByText(', online').waitFor({ state: 'detached' });

  const late = await here.operator(null);
  await late.page.goto(link);
  await late.page.getByRole('heading', { name: 'This invitation doesn’t work' }).waitFor();
});

test('two operators on one conversation see each other view and type, and who wrote what', async () => {
  const shop = await here.site({ person: 'Otto' });
  const vera = await joins(await shop.api.invite(), 'Vera');
  const otto = await here.operator(shop);
  const john = await visitorOf(shop, 'John');
  await john.write('Who helps me?');

  await vera.turnTo('John');
  await otto.row('John').getByTitle('Vera is viewing this conversation').waitFor();
  await otto.turnTo('John');
  const inHeader = (person, name) => person.page.getByRole('region', { name: 'Conversation', exact: true }).getByTitle(`${name} is viewing this conversation`);
  await inHeader(otto, 'Vera').waitFor();
  await inHeader(vera, 'Otto').waitFor();
  assert.equal(await inHeader(otto, 'Otto').count(), 0, 'not oneself');

  await vera.composer.pressSequentially('I am on it');
  await otto.page.getByText('Vera is typing…').waitFor();
  await vera.composer.press('Enter');
  await otto.page.getByText('Vera is typing…').waitFor({ state: 'detached' });
  await otto.reads('I am on it');
  await otto.write('And so am I');
  await vera.reads('And so am I');

  const nameAt = (person, text) => person.messages.filter({ hasText: text }).locator('.name').innerText();
  for (const [person, text, name] of [[otto, 'I am on it', 'Vera'], [otto, 'And so am I', 'You'], [vera, 'I am on it', 'You'], [vera, 'And so am I', 'Otto']]) {
    await eventually(async () => assert.ok((await nameAt(person, text)).trim().endsWith(name)));
  }
  for (const name of ['Vera', 'Otto']) await john.page.locator('ocs-chat .who', { hasText: name }).waitFor();

  await vera.page.getByRole('link', { name: 'My Sites' }).click();
  await inHeader(otto, 'Vera').waitFor({ state: 'detached' });
  await vera.page.goBack();
  await inHeader(otto, 'Vera').waitFor();
  // A console that ends without a word is forgotten.
  await vera.page.context().close();
  await inHeader(otto, 'Vera').waitFor({ state: 'detached', timeout: 12_000 });
});

test('a member with one of three sites sees nothing of the others', async () => {
  const shop = await here.site({ name: 'Northwind Shop' });
  const more = [];
  for (const name of ['Acme Docs', 'Harbour Hotel']) {
    const made = JSON.parse(await here.server.command(['site', 'add', '--owner', shop.owner, '--name', name, '--json']));
    more.push({ id: made.site_id, key: made.widget_key });
  }
  const vera = await joins(await shop.api.invite({ sites: [shop.id] }), 'Vera');
  for (const [site, name] of [[more[0], 'Anna'], [shop, 'John'], [more[1], 'Hans']]) {
    const visitor = await visitorOf(site, name);
    await visitor.write(`It is ${name}`);
    await visitor.sent();
  }
  await vera.row('John').waitFor();
  assert.equal(await vera.rows.count(), 1);
  await vera.page.getByLabel('Search people and messages').fill('It is');
  await vera.page.locator('mark').first().waitFor();
  await vera.page.getByText(/1 message found/).waitFor({ state: 'attached' });
  const hidden = (await shop.api.conversations()).find((conversation) => conversation.site_id === more[0].id);
  await vera.page.goto(`${here.url}/chat/${hidden.site_id}/${hidden.id}`);
  await vera.page.getByRole('heading', { name: 'Conversation not found' }).waitFor();
  await vera.page.goto(`${here.url}/sites`);
  await vera.page.getByRole('heading', { name: 'Northwind Shop' }).waitFor();
  await vera.page.goto(`${here.url}/team`);
  await vera.page.getByRole('article').first().waitFor();
  const shown = await vera.page.locator('body').innerText();
  assert.ok(!/Acme|Harbour/.test(shown), shown);

  // The sites are extended while the console is open.
  await change(shop, vera, { sites: [shop.id, more[1].id] });
  await vera.page.getByText('You now have access to 2 sites').waitFor();
  await vera.page.getByRole('link', { name: /^Inbox/ }).click();
  await vera.row('Hans').waitFor();
});

test('a viewer reads and can’t write; a new role applies at once and is told', async () => {
  const shop = await here.site();
  const vera = await joins(await shop.api.invite({ role: 'viewer' }), 'Vera');
  const john = await visitorOf(shop, 'John');
  await john.write('Can you read this?');
  await vera.row('John').click();
  await vera.reads('Can you read this?');
  await vera.page.getByText('You can read this conversation.').waitFor();
  assert.equal(await vera.composer.count(), 0);
  assert.equal(await vera.page.getByRole('button', { name: 'Close', exact: true }).count(), 0);
  for (const name of ['New site', 'Invite a member', /^Change/]) assert.equal(await vera.page.getByRole('button', { name }).count(), 0);

  await change(shop, vera, { role: 'operator' });
  await vera.page.getByText('You are now an operator in').waitFor();
  await vera.write('Now I can');
  await john.reads('Now I can');

  await change(shop, vera, { active: false });
  await vera.page.getByRole('heading', { name: /You are no longer a member of/ }).waitFor();
});

test('with two workspaces the switcher leads from one to the other, and a link opens the right one', async () => {
  const [shop, other] = [await here.site({ name: 'Northwind Shop' }), await here.site({ name: 'Fjord Tours' })];
  const link = await other.api.invite();
  const john = await visitorOf(other, 'John');
  await john.write('To Fjord');
  await john.sent();
  const [{ id }] = await other.api.conversations();

  const otto = await here.operator(shop);
  assert.equal(await otto.page.getByRole('button', { name: /^Workspace:/ }).count(), 0, 'nothing to choose yet');
  await otto.page.goto(link);
  await otto.page.getByRole('button', { name: 'Join as Otto' }).click();
  await otto.row('John').waitFor();

  await otto.page.getByRole('button', { name: /^Workspace:/ }).press('Enter');
  const menu = otto.page.getByRole('group', { name: 'Workspaces' });
  await menu.getByRole('button').first().waitFor();
  await otto.page.keyboard.press('ArrowUp');
  await otto.page.keyboard.press('Enter');
  await otto.page.getByText('No open conversations').waitFor();
  await otto.page.reload();
  await otto.page.getByText('No open conversations').waitFor();

  await otto.page.goto(`${here.url}/chat/${other.id}/${id}`);
  await otto.reads('To Fjord');
  await otto.row('John').waitFor();
  await otto.write('Welcome');
  await john.reads('Welcome');
});

test('a link from the command line sets a new password, once', async () => {
  const shop = await here.site();
  const { link } = JSON.parse(await here.server.command(['user', 'reset', '--email', shop.owner, '--json']));
  const otto = await here.operator(shop);
  const lost = await here.operator(null);
  await lost.page.goto(link);
  await lost.page.getByText(shop.owner).waitFor();
  await lost.page.getByLabel('New password').fill('short');
  await lost.page.getByRole('button', { name: 'Save password' }).click();
  await lost.page.locator('input[aria-invalid=true]').waitFor();
  await lost.page.getByLabel('New password').fill('another sentence that is long');
  await lost.page.getByRole('button', { name: 'Save password' }).click();
  await lost.page.waitForURL('**/login');
  await lost.page.getByText('Password changed. Sign in with it now.').waitFor();
  await lost.page.getByLabel('E-mail').fill(shop.owner);
  await lost.page.getByLabel('Password').fill('another sentence that is long');
  await lost.page.getByRole('button', { name: 'Sign in' }).click();
  await lost.page.getByRole('heading', { name: 'Inbox' }).waitFor();
  // All earlier sessions have ended.
  await otto.page.waitForURL('**/login**');
  const again = await here.operator(null);
  await again.page.goto(link);
  await again.page.getByRole('heading', { name: 'This link doesn’t work' }).waitFor();
});
