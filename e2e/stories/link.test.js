import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, pause } from '../support/eventually.js';
import { loadProtocol, WebSocket } from '../support/packages.js';
import { Link } from '../support/proxies.js';
import { scene } from '../support/scene.js';

const here = scene();
const CUTS = 1_000;
const CUTS_IN_BROWSERS = 20;
/** Delays between attempts are this many times shorter; timeouts of responses are unchanged. */
const SPEEDUP = 40;

const limits = { messages_per_minute: 600, api_per_minute: 60_000, image_bytes: 5_242_880 };
const fastTimers = { now: () => Date.now(), random: () => Math.random() / SPEEDUP, after: (ms, run) => { const timer = setTimeout(run, ms); return () => clearTimeout(timer); } };
const noStore = { load: () => [], put() {}, drop() {} };

/** One side of a conversation as the web apps run it: an outbox for sending and a connection for receiving; responses are ignored. */
class Side {
  faults = [];

  constructor({ Connection, MessageList, Outbox }, { endpoint, deliver, fetchStored, name }) {
    this.name = name;
    // A connection that is cut while catching up delivers those events again: the list ignores duplicates.
    this.list = new MessageList((message) => message.conversation ?? message.conversation_id);
    this.outbox = new Outbox(noStore, {
      deliver,
      isStored: async (item) => (await fetchStored()).some((message) => message.client_id === item.client_id),
      shrinkImage: async () => null,
      // Presses Retry whenever the app shows "Not sent".
      changed: () => queueMicrotask(() => this.outbox.items.filter(({ state }) => state === 'failed').forEach(({ client_id }) => this.outbox.retry(client_id))),
      unauthorised: (code) => this.faults.push(`refused: ${code}`),
    }, fastTimers);
    this.connection = new Connection(endpoint, {
      event: (event) => {
        if (event.kind === 'message_sent' && this.list.add(event.message) === 'gap') this.faults.push(`messages before ${event.message.text} are missing`);
      },
      signal() {},
      live() {},
      resync: () => this.faults.push('resync'),
      refused: (code) => this.faults.push(`refused: ${code}`),
      changed() {},
    }, { timers: fastTimers, socket: (url) => new WebSocket(url) });
  }

  get received() {
    return this.list.list;
  }

  stop() {
    this.connection.stop();
    this.outbox.stop();
  }

  write(count, text) {
    this.outbox.add({ client_id: `${this.name}-${count}`, lane: '', text, image: null });
  }
}

test(`the connection is cut ${CUTS} times at random while both sides write: both logs equal the server's`, async (t) => {
  const protocol = await loadProtocol();
  const shop = await here.site({ limits });
  const link = await Link.open(here.server);
  const sides = [];
  try {
    const visitorApi = new protocol.WidgetApi(here.url, shop.key);
    const state = await visitorApi.start({ external_id: 'cut-off', anonymous: false });
    const linkedApi = new protocol.WidgetApi(link.url, shop.key);
    linkedApi.token = state.token;
    const visitor = new Side(protocol, { name: 'visitor', endpoint: linkedApi.endpoint(), deliver: (item, cancelled) => linkedApi.send(item.client_id, { text: item.text }, cancelled), fetchStored: async () => (await linkedApi.start({ external_id: 'cut-off', anonymous: false })).messages });
    sides.push(visitor);
    visitor.outbox.resume();
    visitor.write(0, 'visitor 0');
    const [conversation] = await eventually(async () => {
      const list = await shop.api.conversations();
      assert.equal(list.length, 1);
      return list;
    });
    const inbox = await shop.api.inWorkspace('GET', 'conversations?state=all');
    // The same session, through the link.
    const through = Object.assign(Object.create(Object.getPrototypeOf(shop.api)), shop.api, { url: link.url });
    const path = `sites/${shop.id}/conversations/${conversation.id}/messages`;
    const operator = new Side(protocol, {
      name: 'operator',
      endpoint: {
        socketUrl: `${link.url.replace('http', 'ws')}/api/console/socket`,
        streamUrl: `${link.url}/api/console/workspaces/${shop.api.workspace}/stream`,
        hello: async (cursor) => JSON.stringify({ type: 'hello', ticket: (await through.inWorkspace('POST', 'ticket')).ticket, cursor }),
        streamHeaders: () => ({ Cookie: shop.api.cookie }),
        credentials: 'omit',
        postHint: async () => {},
      },
      deliver: (item) => through.request('POST', path, { client_id: item.client_id, text: item.text }),
      fetchStored: async () => (await through.request('GET', path.replace('/messages', ''))).messages,
    });
    sides.push(operator);
    operator.outbox.resume();
    const known = await shop.api.wholeThread(shop.id, conversation.id);
    operator.list.reset(known);
    visitor.connection.start(state.cursor);
    operator.connection.start(inbox.cursor);

    link.fragile = 3_000;
    let said = 0;
    while (link.cuts < CUTS) {
      if (visitor.outbox.items.length < 3 && operator.outbox.items.length < 3) {
        said += 1;
        visitor.write(said, `visitor ${said}`);
        operator.write(said, `operator ${said}`);
      }
      // Now and then all connections at once, whatever is in flight.
      if (Math.random() < 0.2) link.cut();
      await pause(Math.random() * 20);
    }
    link.fragile = null;
    await eventually(() => assert.equal(visitor.outbox.items.length + operator.outbox.items.length, 0), 30_000);

    const truth = (await shop.api.wholeThread(shop.id, conversation.id)).map(({ text }) => text);
    await eventually(() => assert.ok(visitor.received.length >= truth.length && operator.received.length >= truth.length, JSON.stringify(sides.map((side) => [side.received.length, side.connection.state, side.connection.transportKind, side.faults]))), 30_000);
    for (const side of sides) {
      assert.deepEqual(side.faults, []);
      assert.deepEqual(side.received.map(({ text }) => text), truth, `${side.name} received every message once, in order`);
      assert.deepEqual(truth.filter((text) => text.startsWith(side.name)), [...(side === visitor ? ['visitor 0'] : []), ...Array.from({ length: said }, (_, at) => `${side.name} ${at + 1}`)]);
    }
    t.diagnostic(`${link.cuts} cuts, ${truth.length} messages`);
  } finally {
    for (const side of sides) side.stop();
    link.close();
  }
});

test(`two browsers chat over a connection that is cut ${CUTS_IN_BROWSERS} times: both show what the server has stored`, async () => {
  const shop = await here.site({ limits });
  const link = await Link.open(here.server);
  try {
    const john = await here.visitor();
    await john.visit(here.page(shop, { url: link.url }));
    await john.open();
    await john.write('visitor 0');
    const otto = await here.operator(shop, { url: link.url });
    await otto.turnTo('John Doe');
    await otto.reads('visitor 0');
    let said = 0;
    // While nobody is connected, there is nothing to cut.
    while (link.cuts < CUTS_IN_BROWSERS) {
      const n = (said += 1);
      const cut = pause(Math.random() * 120).then(() => link.cut());
      await Promise.all([john.write(`visitor ${n}`), otto.write(`operator ${n}`), cut]);
    }
    const [conversation] = await shop.api.conversations();
    const truth = await eventually(async () => {
      const thread = await shop.api.wholeThread(shop.id, conversation.id);
      assert.equal(thread.length, 2 * said + 1);
      return thread.map(({ text }) => text);
    }, 90_000);
    await otto.hasTexts(truth, 60_000);
    await john.hasTexts(truth, 60_000);
  } finally {
    link.close();
  }
});
