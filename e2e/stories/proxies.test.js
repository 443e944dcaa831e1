import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { companyProxy, nginx } from '../support/proxies.js';
import { scene } from '../support/scene.js';

const here = scene();
const proxies = [];
after(() => Promise.all(proxies.map((proxy) => proxy.close())));
const behind = async (opening) => {
  const proxy = await opening;
  proxies.push(proxy);
  return proxy.url;
};

/** Both sides chat live. Returns which transport delivered events to the visitor, and how long after the first attempt. */
async function talkBehind(url) {
  const shop = await here.site();
  const john = await here.visitor();
  const carriers = [];
  let tried = null;
  john.page.on('response', (response) => response.url().endsWith('/api/widget/stream') && response.ok() && carriers.push({ stream: Date.now() - tried }));
  john.page.on('websocket', () => (tried ??= Date.now()));
  john.page.on('websocket', (socket) => socket.on('framereceived', () => carriers.push({ socket: Date.now() - tried })));
  await john.visit(here.page(shop, { url }));
  await john.open();
  await john.write('Can you hear me?');
  const otto = await here.operator(shop, { url });
  await otto.turnTo('John Doe');
  await otto.reads('Can you hear me?');
  await otto.write('Loud and clear');
  await john.reads('Loud and clear');
  await otto.lastTick('Read');
  const spoke = Date.now();
  await john.write('Good');
  await otto.reads('Good');
  await otto.write('Yes');
  await john.reads('Yes');
  assert.ok(Date.now() - spoke < 5_000, 'news is live, not asked for now and then');
  await john.hasTexts(['Can you hear me?', 'Loud and clear', 'Good', 'Yes']);
  return carriers;
}

test('where a proxy refuses WebSocket, the stream takes over within five seconds', async () => {
  const carriers = await talkBehind(await behind(companyProxy(here.server, 'refuse')));
  assert.ok(carriers[0].stream < 5_000, JSON.stringify(carriers));
  assert.ok(carriers.every((carrier) => carrier.socket === undefined));
});

test('where a proxy passes the handshake and swallows all frames, the stream takes over within five seconds', async () => {
  const carriers = await talkBehind(await behind(companyProxy(here.server, 'swallow')));
  assert.ok(carriers[0].stream < 5_000, JSON.stringify(carriers));
});

test('where a proxy never answers the handshake, the stream takes over within five seconds', async () => {
  const carriers = await talkBehind(await behind(companyProxy(here.server, 'ignore')));
  assert.ok(carriers[0].stream < 5_000, JSON.stringify(carriers));
});

test('behind the documented nginx example the socket delivers the events', async () => {
  const carriers = await talkBehind(await behind(nginx(here.server)));
  assert.ok(carriers.length > 0 && carriers.every((carrier) => carrier.stream === undefined), JSON.stringify(carriers));
});

test('behind an nginx that is not configured for WebSocket, the stream does', async () => {
  const plain = (text) => text.replace(/^.*(Upgrade|Connection|proxy_http_version|proxy_buffering|proxy_read_timeout).*\n/gm, '');
  const carriers = await talkBehind(await behind(nginx(here.server, plain)));
  assert.ok(carriers[0].stream < 5_000, JSON.stringify(carriers));
});
