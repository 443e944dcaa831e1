import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, pause } from '../support/eventually.js';
import { loadProtocol, WebSocket } from '../support/packages.js';
import { Link } from '../support/proxies.js';
import { scene } from '../support/scene.js';

const here = scene();
const CUTS = 1_000;
const CUTS_IN_BROWSERS = 20;
/** Waits between tries are this much shorter; an answer has the time that it always has. */
const HASTE = 40;

const limits = { messages_per_minute: 600, api_per_minute: 60_000, image_bytes: 5_242_880 };
const hasty = { now: () => Date.now(), random: () => Math.random() / HASTE, after: (ms, run) => { const timer = setTimeout(run, ms); return () => clearTimeout(timer); } };
const memory = { load: () => [], put() {}, drop() {} };

/** One side of a conversation as the web apps run it: an outbox up, a connection down, nothing taken from answers. */
class Side {
  faults = [];

  constructor({ Connection, MessageList, Outbox }, { door, deliver, holds, name }) {
    this.name = name;
    // A line that is cut in the middle of what was missed begins that anew: the list knows what it has.
    this.list = new MessageList((message) => message.conversation ?? message.conversation_id);
    this.outbox = new Outbox(memory, {
      deliver,
      holds: async (item) => (await holds()).some((message) => message.client_id === item.client_id),
      lighten: async () => null,
      // Whoever is told "Not sent" presses Retry.
      changed: () => queueMicrotask(() => this.outbox.items.filter(({ state }) => state === 'failed').forEach(({ client_id }) => this.outbox.retry(client_id))),
      unauthorised: (code) => this.faults.push(`refused: ${code}`),
    }, hasty);
    this.connection = new Connection(door, {
      event: (event) => {
        if (event.kind === 'message_sent' && this.list.add(event.message) === 'gap') this.faults.push(`before ${event.message.text} something was missing`);
      },
      signal() {},
      live() {},
      resync: () => this.faults.push('resync'),
      refused: (code) => this.faults.push(`refused: ${code}`),
      changed() {},
    }, { timers: hasty, socket: (url) => new WebSocket(url) });
  }

  get heard() {
    return this.list.list;
  }

  stop() {
    this.connection.stop();
    this.outbox.stop();
  }

  say(count, text) {
    this.outbox.add({ client_id: `${this.name}-${count}`, lane: '', text, image: null });
  }
}

test(`the line is cut ${CUTS} times at random while both sides write: both logs equal the server's`, async (t) => {
  const protocol = await loadProtocol();
  const shop = await here.site({ limits });
  const link = await Link.open(here.server);
  const sides = [];
  try {
    const visitorDoor = new protocol.WidgetDoor(here.url, shop.key);
    const state = await visitorDoor.start({ external_id: 'cut-off', anonymous: false });
    const wire = new protocol.WidgetDoor(link.url, shop.key);
    wire.token = state.token;
    const visitor = new Side(protocol, { name: 'visitor', door: wire.line(), deliver: (item, cancelled) => wire.send(item.client_id, { text: item.text }, cancelled), holds: async () => (await wire.start({ external_id: 'cut-off', anonymous: false })).messages });
    sides.push(visitor);
    visitor.outbox.resume();
    visitor.say(0, 'visitor 0');
    const [conversation] = await eventually(async () => {
      const list = await shop.door.conversations();
      assert.equal(list.length, 1);
      return list;
    });
    const inbox = await shop.door.ask('GET', 'conversations?state=all');
    // The same session by way of the link.
    const through = Object.assign(Object.create(Object.getPrototypeOf(shop.door)), shop.door, { url: link.url });
    const path = `sites/${shop.id}/conversations/${conversation.id}/messages`;
    const operator = new Side(protocol, {
      name: 'operator',
      door: {
        socketUrl: `${link.url.replace('http', 'ws')}/api/console/socket`,
        streamUrl: `${link.url}/api/console/stream`,
        hello: async (cursor) => JSON.stringify({ type: 'hello', ticket: (await through.ask('POST', 'ticket')).ticket, cursor }),
        streamHeaders: () => ({ Cookie: shop.door.cookie }),
        credentials: 'omit',
        postHint: async () => {},
      },
      deliver: (item) => through.ask('POST', path, { client_id: item.client_id, text: item.text }),
      holds: async () => (await through.ask('GET', path.replace('/messages', ''))).messages,
    });
    sides.push(operator);
    operator.outbox.resume();
    const known = await shop.door.wholeThread(shop.id, conversation.id);
    operator.list.reset(known);
    visitor.connection.start(state.cursor);
    operator.connection.start(inbox.cursor);

    link.fragile = 3_000;
    let said = 0;
    while (link.cuts < CUTS) {
      if (visitor.outbox.items.length < 3 && operator.outbox.items.length < 3) {
        said += 1;
        visitor.say(said, `visitor ${said}`);
        operator.say(said, `operator ${said}`);
      }
      // Now and then all at once, in the middle of whatever is under way.
      if (Math.random() < 0.2) link.cut();
      await pause(Math.random() * 20);
    }
    link.fragile = null;
    await eventually(() => assert.equal(visitor.outbox.items.length + operator.outbox.items.length, 0), 30_000);

    const truth = (await shop.door.wholeThread(shop.id, conversation.id)).map(({ text }) => text);
    await eventually(() => assert.ok(visitor.heard.length >= truth.length && operator.heard.length >= truth.length, JSON.stringify(sides.map((side) => [side.heard.length, side.connection.state, side.connection.transportKind, side.faults]))), 30_000);
    for (const side of sides) {
      assert.deepEqual(side.faults, []);
      assert.deepEqual(side.heard.map(({ text }) => text), truth, `${side.name} heard every message once, in order`);
      assert.deepEqual(truth.filter((text) => text.startsWith(side.name)), [...(side === visitor ? ['visitor 0'] : []), ...Array.from({ length: said }, (_, at) => `${side.name} ${at + 1}`)]);
    }
    t.diagnostic(`${link.cuts} cuts, ${truth.length} messages`);
  } finally {
    for (const side of sides) side.stop();
    link.close();
  }
});

test(`two browsers talk over a line that is cut ${CUTS_IN_BROWSERS} times: both show what the server holds`, async () => {
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
    // Where nobody is connected just now there is nothing to cut.
    while (link.cuts < CUTS_IN_BROWSERS) {
      const n = (said += 1);
      const cut = pause(Math.random() * 120).then(() => link.cut());
      await Promise.all([john.write(`visitor ${n}`), otto.write(`operator ${n}`), cut]);
    }
    const [conversation] = await shop.door.conversations();
    const truth = await eventually(async () => {
      const thread = await shop.door.wholeThread(shop.id, conversation.id);
      assert.equal(thread.length, 2 * said + 1);
      return thread.map(({ text }) => text);
    }, 90_000);
    await otto.hasTexts(truth, 60_000);
    await john.hasTexts(truth, 60_000);
  } finally {
    link.close();
  }
});
