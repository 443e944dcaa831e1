import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';
import { password } from '../support/server.js';

const here = scene();

/** A named visitor writes, without a browser. */
async function writes(shop, external_id, nickname, email) {
  const send = async (body, token) => {
    const headers = { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
    const response = await fetch(`${here.url}/api/widget`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.ok(response.ok, `${response.status}`);
    return response.json();
  };
  const { token } = await send({ do: 'start', key: shop.key, external_id, anonymous: false, nickname, email });
  await send({ do: 'send', client_id: 'm1', text: `Hello from ${external_id}` }, token);
}

/** A shop with four visitors called Søren, one from long ago and one in a closed conversation. */
async function crowdedShop() {
  const shop = await here.site();
  await writes(shop, 'u1', 'Søren Larsen', 'larsen@mail.example');
  for (let n = 1; n <= 60; n++) await writes(shop, `other${n}`, `Somebody ${n}`, `s${n}@mail.example`);
  for (const [id, name] of [['u2', 'SOREN K'], ['u3', 'Bo Sørensen'], ['u4', 'Søren Krøyer']]) await writes(shop, id, name, `${id}@mail.example`);
  const bo = (await shop.api.conversations()).find(({ visitor }) => visitor.external_id === 'u3');
  await shop.api.request('POST', `sites/${shop.id}/conversations/${bo.id}/close`, {});
  return shop;
}

const fieldOf = ({ page }) => page.getByLabel('Search people and messages');
const namesOf = ({ page }) => page.locator('a[id^="row-"] .name').allInnerTexts();

test('everybody with a name is found, whatever the list has loaded, and the chat opens', async () => {
  const shop = await crowdedShop();
  const otto = await here.operator(shop);
  await fieldOf(otto).fill('soren');
  await eventually(async () => assert.deepEqual(await namesOf(otto), ['Søren Krøyer', 'Bo Sørensen', 'SOREN K', 'Søren Larsen']));
  await otto.page.getByRole('heading', { name: 'People 4' }).waitFor();
  await otto.page.getByText('Open and closed conversations on all your sites.').waitFor();
  assert.match(await otto.row('Bo Sørensen').innerText(), /Closed/);

  await fieldOf(otto).fill('larsen@mail');
  await eventually(async () => assert.deepEqual(await namesOf(otto), ['Søren Larsen']));
  await otto.page.keyboard.press('ArrowDown');
  await otto.page.keyboard.press('Enter');
  await otto.reads('Hello from u1');

  await fieldOf(otto).fill('somebody');
  await otto.page.getByRole('heading', { name: 'People 30+' }).waitFor();
  for (let step = 0; step < 2; step++) await otto.page.getByRole('button', { name: 'Show more people' }).click();
  await eventually(async () => assert.equal((await namesOf(otto)).length, 60));
  assert.deepEqual(otto.seen.faults, []);
});

/** The server requires a confirmation, as when the last one is ten minutes old. */
async function asksAgain(page, method, path) {
  const body = JSON.stringify({ error: { code: 'confirmation_required', message: 'confirm that it is you', field: 'password' } });
  let asked = false;
  await page.route(path, (route) => {
    if (asked || route.request().method() !== method) return route.continue();
    asked = true;
    return route.fulfill({ status: 403, contentType: 'application/json', body });
  });
}

test('changes with lasting effect require the password first', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  const { page } = otto;
  await page.goto(`${here.url}/sites/${shop.id}/security`);
  await asksAgain(page, 'POST', '**/identity-secrets');
  await page.getByRole('button', { name: 'New secret' }).click();
  const dialog = page.getByRole('dialog', { name: 'Confirm it’s you' });
  await dialog.getByText('You won’t be asked again for 10 minutes.').waitFor();
  await dialog.getByLabel('Your password').fill('a guess');
  await dialog.getByRole('button', { name: 'Continue' }).click();
  await dialog.getByRole('alert').waitFor();
  await dialog.getByLabel('Your password').fill(password);
  await dialog.getByLabel('Your password').press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  const secrets = async () => (await shop.api.request('GET', `sites/${shop.id}`)).identity_secrets.length;
  await eventually(async () => assert.equal(await secrets(), 1));

  // Cancelling changes nothing and says so.
  await page.goto(`${here.url}/sites/${shop.id}/danger`);
  await asksAgain(page, 'DELETE', `**/api/console/sites/${shop.id}`);
  await page.getByRole('button', { name: /^Delete .*…$/ }).click();
  await page.getByLabel('Type the name of the site to confirm').fill('Northwind Shop');
  await page.getByRole('button', { name: 'Delete site permanently' }).click();
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('You didn’t confirm, so nothing was changed.').waitFor();
  assert.equal((await shop.api.request('GET', `sites/${shop.id}`)).name, 'Northwind Shop');
});

test('a weaker identity mode requires the password first', async () => {
  const shop = await here.site();
  const otto = await here.operator(shop);
  const { page } = otto;
  const path = `**/api/console/sites/${shop.id}`;
  const dialog = page.getByRole('dialog', { name: 'Confirm it’s you' });
  const mode = async () => (await shop.api.request('GET', `sites/${shop.id}`)).identity_mode;
  await page.goto(`${here.url}/sites/${shop.id}/security`);

  // Cancelling changes nothing, and the page shows the mode that still holds.
  await asksAgain(page, 'PATCH', path);
  await page.getByRole('radio', { name: /^Shared/ }).click();
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await page.getByText('You didn’t confirm, so nothing was changed.').waitFor();
  await eventually(async () => assert.ok(await page.getByRole('radio', { name: /^Same browser/ }).isChecked()));
  assert.equal(await mode(), 'same_browser');

  await asksAgain(page, 'PATCH', path);
  await page.getByRole('radio', { name: /^Shared/ }).click();
  await dialog.getByLabel('Your password').fill(password);
  await dialog.getByLabel('Your password').press('Enter');
  await dialog.waitFor({ state: 'hidden' });
  await eventually(async () => assert.equal(await mode(), 'shared'));
  assert.ok(await page.getByRole('radio', { name: /^Shared/ }).isChecked());
});
