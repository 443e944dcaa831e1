import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { gif, photo, png, svg } from '../support/pictures.js';
import { nginx } from '../support/proxies.js';
import { snippetWith } from '../support/pages.js';
import { scene } from '../support/scene.js';

const here = scene();
const proxies = [];
after(() => Promise.all(proxies.map((proxy) => proxy.close())));
const loaded = (image) => eventually(async () => assert.ok(await image.evaluate((element) => element.complete && element.naturalWidth > 0)));

async function two() {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Which lamp is this?');
  const otto = await here.operator(shop);
  await otto.turnTo('John Doe');
  return { shop, john, otto };
}

test('images go both ways: preview, thumbnail, full size, and the same image on both sides', async () => {
  const { john, otto } = await two();
  const chat = john.page.locator('ocs-chat');
  await john.choose({ name: 'lamp.png', mimeType: 'image/png', buffer: png() });
  await chat.getByRole('button', { name: 'Send', exact: true }).click();
  const theirs = otto.messages.locator('.picture img');
  await theirs.waitFor();
  await loaded(theirs);
  await john.lastTick('Read');

  await otto.page.getByRole('button', { name: /^Open Picture from John Doe/ }).click();
  const large = otto.page.locator('dialog[open] img');
  await loaded(large);
  assert.deepEqual(await large.evaluate((element) => [element.naturalWidth, element.naturalHeight]), [640, 400]);
  const address = new URL(await large.getAttribute('src'), here.url);
  assert.match(address.pathname, /^\/uploads\/chat_images\/visitor_\d{8}_\d{6}_[\w-]{22,}\.png$/);
  await otto.page.keyboard.press('Escape');

  await otto.choose({ name: 'other.png', mimeType: 'image/png', buffer: png(300, 500, 20) });
  await otto.page.getByRole('button', { name: 'Send', exact: true }).click();
  await eventually(async () => assert.equal(await chat.locator('.picture img').count(), 2));
  const answer = chat.locator('.agent .picture img');
  await loaded(answer);
  await chat.getByRole('button', { name: /Picture from Otto/ }).click();
  const lightbox = chat.getByRole('dialog', { name: 'Picture' });
  await loaded(lightbox.locator('img'));
  assert.deepEqual(await lightbox.locator('img').evaluate((element) => [element.naturalWidth, element.naturalHeight]), [300, 500]);
  await john.page.keyboard.press('Escape');
  await lightbox.waitFor({ state: 'detached' });
  assert.ok(await john.composer.isVisible(), 'the first Escape closes the picture, not the chat');

  const stored = await fetch(address);
  assert.equal(stored.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(stored.headers.get('cross-origin-resource-policy'), 'cross-origin');
  assert.match(stored.headers.get('content-security-policy'), /sandbox/);
  const bytes = Buffer.from(await stored.arrayBuffer());
  assert.ok(!bytes.includes('48.8584'), 'what the camera wrote into the file is gone');
  assert.deepEqual(john.seen.faults, []);
  assert.deepEqual(otto.seen.faults, []);
});

test('an animated image stays animated', async () => {
  const { john, otto } = await two();
  const chat = john.page.locator('ocs-chat');
  await john.choose({ name: 'blink.gif', mimeType: 'image/gif', buffer: gif() });
  await chat.getByRole('button', { name: 'Send', exact: true }).click();
  await otto.page.getByRole('button', { name: /^Open Picture from John Doe/ }).click();
  const src = await otto.page.locator('dialog[open] img').getAttribute('src');
  assert.match(src, /\.gif$/);
  const bytes = Buffer.from(await (await fetch(new URL(src, here.url))).arrayBuffer());
  assert.ok(bytes.includes(Buffer.from('NETSCAPE2.0')), 'it repeats');
  assert.equal(bytes.toString('latin1').split('\x21\xf9\x04').length - 1, 2, 'both frames are there');
});

/** Dispatches the browser's events for a paste into a field or a drop onto the messages around it. */
const give = (field, kind) => field.evaluate(async (field, [kind, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], `${kind}.png`, { type: 'image/png' }));
  if (kind === 'paste') return void field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true, composed: true }));
  const log = field.closest('.zone').querySelector('[role=log]');
  for (const type of ['dragenter', 'dragover', 'drop']) log.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true, composed: true }));
}, [kind, png(120, 90).toString('base64')]);

test('on both sides images are pasted, dropped or picked into a tray, which sending empties', async () => {
  const { john, otto } = await two();
  const sides = [
    { writer: john, place: john.page.locator('ocs-chat'), reader: otto.messages },
    { writer: otto, place: otto.page, reader: john.page.locator('ocs-chat .agent') },
  ];
  for (const { writer, place, reader } of sides) {
    const before = await reader.locator('.picture img').count();
    for (const kind of ['paste', 'drop']) {
      await give(writer.composer, kind);
      await place.getByRole('button', { name: `Remove: ${kind}.png` }).waitFor();
    }
    await writer.choose(
      { name: 'first.png', mimeType: 'image/png', buffer: png(60, 60) },
      { name: 'second.png', mimeType: 'image/png', buffer: png(80, 60) },
    );
    const tray = place.locator('.tray');
    assert.deepEqual(await tray.locator('img').evaluateAll((images) => images.map(({ alt }) => alt)), ['paste.png', 'drop.png', 'first.png', 'second.png']);
    await place.getByRole('button', { name: 'Remove: drop.png' }).press('Enter');
    await place.getByRole('button', { name: 'Remove: drop.png' }).waitFor({ state: 'detached' });
    assert.equal(await reader.locator('.picture img').count(), before, 'nothing has gone out yet');
    await writer.composer.fill('These three');
    await writer.composer.press('Enter');
    await reader.getByText('These three').first().waitFor();
    await eventually(async () => assert.equal(await reader.locator('.picture img').count(), before + 3));
    await tray.waitFor({ state: 'hidden' });
    assert.equal(await tray.locator('img').count(), 0);
  }
  assert.deepEqual(john.seen.faults, []);
  assert.deepEqual(otto.seen.faults, []);
});

test("an operator's picked images stay with their conversation while another one is open", async () => {
  const { shop, otto } = await two();
  const mia = await here.visitor();
  await mia.visit(here.page(shop, { head: snippetWith(here.url, shop.key, { externalId: 'mia', nickname: 'Mia' }) }));
  await mia.open();
  await mia.write('Hello');
  await otto.choose({ name: 'lamp.png', mimeType: 'image/png', buffer: png() });
  await otto.turnTo('Mia');
  await otto.page.getByLabel('Reply to Mia').waitFor();
  assert.equal(await otto.page.locator('.tray img').count(), 0);
  await otto.turnTo('John Doe');
  await otto.page.getByRole('button', { name: 'Remove: lamp.png' }).waitFor();
});

test('a file that only claims to be an image is refused by the page and by the server', async () => {
  const { shop, john, otto } = await two();
  const chat = john.page.locator('ocs-chat');
  await chat.locator('input[type=file]').setInputFiles({ name: 'fake.png', mimeType: 'image/png', buffer: svg });
  await chat.getByText('PNG, JPEG, GIF and still WebP pictures can be sent.').first().waitFor();
  await otto.page.locator('input[type=file]').setInputFiles({ name: 'fake.png', mimeType: 'image/png', buffer: svg });
  await otto.page.getByText('You can send PNG, JPEG, GIF and non-animated WebP pictures.').first().waitFor();
  assert.equal(await chat.locator('.picture').count(), 0);

  const token = await john.page.evaluate((key) => JSON.parse(localStorage.getItem(`ocs:${key}`)).token, shop.key);
  const response = await fetch(`${here.url}/api/widget/images`, {
    method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'image/png' }, body: svg,
  });
  assert.equal(response.status, 400);
  assert.equal((await response.json()).error.code, 'invalid_image');
});

/** John and Otto behind nginx with its default body limit of 1 MiB. Its refusals have no CORS headers. */
async function behindNginx() {
  const proxy = await nginx(here.server, (text) => text.replace('client_max_body_size 32m;', 'client_max_body_size 1m;'));
  proxies.push(proxy);
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop, { url: proxy.url }));
  await john.open();
  await john.write('Hello');
  const otto = await here.operator(shop, { url: proxy.url });
  await otto.turnTo('John Doe');
  const stored = async () => {
    const [{ id }] = await shop.api.conversations();
    return (await shop.api.wholeThread(shop.id, id)).map(({ text, image }) => (image ? `${image.url.split('.').pop()}` : text));
  };
  return { john, otto, stored };
}

test('a photo that a proxy refuses is sent smaller, and later messages stay behind it', async () => {
  const { john, otto, stored } = await behindNginx();
  const chat = john.page.locator('ocs-chat');
  await john.choose({ name: 'holiday.png', mimeType: 'image/png', buffer: photo() });
  await chat.getByRole('button', { name: 'Send', exact: true }).click();
  await john.write('That was the lamp');
  await otto.reads('That was the lamp');
  await loaded(otto.messages.locator('.picture img'));
  assert.deepEqual(await stored(), ['Hello', 'jpg', 'That was the lamp']);
  await john.lastTick('Read');

  await otto.choose({ name: 'shelf.png', mimeType: 'image/png', buffer: photo() });
  await otto.page.getByRole('button', { name: 'Send', exact: true }).click();
  await otto.write('Here is ours');
  await john.reads('Here is ours');
  assert.deepEqual((await stored()).slice(3), ['jpg', 'Here is ours']);
});

test('an image that a proxy refuses in any size is marked as not sent, and later messages are sent', async () => {
  const { john, otto, stored } = await behindNginx();
  const large = { name: 'dance.gif', mimeType: 'image/gif', buffer: gif(1_500_000) };
  const chat = john.page.locator('ocs-chat');
  await john.choose(large);
  await chat.getByRole('button', { name: 'Send', exact: true }).click();
  await john.write('Did you get it?');
  await otto.reads('Did you get it?');
  const notSent = chat.locator('.failed').getByText('Not sent');
  await notSent.waitFor();
  await chat.getByRole('button', { name: 'Retry' }).click();
  await notSent.waitFor({ state: 'detached' });
  await notSent.waitFor();
  await chat.getByRole('button', { name: 'Delete' }).click();
  await notSent.waitFor({ state: 'detached' });

  await otto.choose(large);
  await otto.page.getByRole('button', { name: 'Send', exact: true }).click();
  await otto.write('No, I did not');
  await john.reads('No, I did not');
  await otto.page.getByText('This picture is too large.').waitFor();
  await otto.page.getByRole('button', { name: 'Delete' }).click();
  assert.deepEqual(await stored(), ['Hello', 'Did you get it?', 'No, I did not']);
});
