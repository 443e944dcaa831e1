// What the chat costs a page in DOM nodes, memory and style recalculations. `npm run budget` checks bytes; the citizenship
// stories check requests, storage and layout shift.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';
import { chatShows, heapOf, nodesOf, openChat, settled } from '../support/weight.js';

const here = scene();
const MEGABYTE = 1_000_000;

/** How many elements each style recalculation included while `act` ran. */
async function stylesOf(tools, act) {
  const counts = [];
  tools.on('Tracing.dataCollected', ({ value }) => counts.push(...value.filter(({ args }) => args.elementCount).map(({ args }) => args.elementCount)));
  const ended = new Promise((done) => tools.once('Tracing.tracingComplete', done));
  await tools.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['devtools.timeline'] } });
  await act();
  await tools.send('Tracing.end');
  await ended;
  return counts;
}

const blank = async () => {
  const { page } = await here.visitor();
  await page.goto(here.website.put(`/blank/${Math.random()}`, ''));
  await settled(page);
  return heapOf(page);
};

test('before it is opened it has a handful of nodes and takes a quarter of a megabyte', async () => {
  const shop = await here.site();
  const { page } = await here.visitor();
  await page.goto(here.page(shop));
  await eventually(async () => assert.ok((await nodesOf(page)) > 2));
  await settled(page);
  const nodes = await nodesOf(page);
  assert.ok(nodes <= 15, `${nodes} nodes`);
  const added = (await heapOf(page)) - (await blank());
  assert.ok(added <= 0.25 * MEGABYTE, `${added} bytes added`);
});

/** An open chat on a shop's page with `count` messages. `reply` adds one more. */
async function longChat(count) {
  const shop = await here.site();
  const john = await here.visitor();
  await john.visit(here.page(shop));
  await john.open();
  await john.write('How much do they weigh?');
  await john.sent();
  const { page } = await here.visitor({ in: john });
  await page.goto(here.page(shop));
  await openChat(page);
  const [{ id }] = await shop.api.conversations();
  const reply = async (n) => {
    await shop.api.reply(shop.id, id, `weight-${n}`, `Line ${n}: as long as people write when they explain something.`);
    // At the page's pace: it acknowledges each message, and acknowledging too fast would end its connection.
    if (n % 20 === 0) await chatShows(page, `Line ${n}:`);
  };
  for (let n = 1; n < count; n += 1) await reply(n);
  await chatShows(page, `Line ${count - 1}:`);
  await settled(page);
  return { page, reply };
}

test('open with two hundred messages it takes at most two and a half megabytes', async () => {
  const { page } = await longChat(200);
  const added = (await heapOf(page)) - (await blank());
  assert.ok(added <= 2.5 * MEGABYTE, `${added} bytes added`);
});

test('one more message restyles its own row and the one above, and nothing else', async () => {
  const { page, reply } = await longChat(60);
  const tools = await page.context().newCDPSession(page);
  await page.evaluate(() => {
    const log = document.querySelector('ocs-chat').shadowRoot.querySelector('[role=log]');
    const rows = [...log.querySelectorAll('[role=article]')];
    window.touched = new Set();
    const rowOf = ({ target }) => rows.find((row) => row.contains(target));
    new MutationObserver((changes) => changes.map(rowOf).forEach((row) => row && window.touched.add(row))).observe(log, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  const styled = await stylesOf(tools, async () => {
    await reply(60);
    await chatShows(page, 'Line 60:');
    await settled(page);
  });
  assert.ok(await page.evaluate(() => window.touched.size) <= 1, 'rows that were there');
  // A row has a handful of elements; the panel has two hundred.
  assert.ok(styled.length > 0 && Math.max(...styled) <= 60, `elements styled at once: ${styled}`);
});

test('a reply that is read at once costs one frame to the server, two messages to other tabs and no storage write', async () => {
  const init = () => {
    window.done = {};
    const count = (name, { prototype }, method) => {
      const real = prototype[method];
      prototype[method] = function (...given) {
        window.done[name] = (window.done[name] ?? 0) + 1;
        return real.apply(this, given);
      };
    };
    count('stored', Storage, 'setItem');
    count('posted', BroadcastChannel, 'postMessage');
    count('sent', WebSocket, 'send');
  };
  const shop = await here.site();
  const john = await here.visitor({ init });
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Anybody there?');
  await john.sent();
  const [{ id }] = await shop.api.conversations();
  const answer = async (seq) => {
    await shop.api.reply(shop.id, id, `answer-${seq}`, `Answer ${seq}`);
    await eventually(async () => assert.equal((await shop.api.conversations())[0].visitor_seen_seq, seq));
    await settled(john.page);
  };
  // Measure the second reply: the first one also causes one-off work, such as counting the new open conversation.
  await answer(2);
  await john.page.evaluate(() => (window.done = {}));
  await answer(3);
  assert.deepEqual(await john.page.evaluate(() => window.done), { posted: 2, sent: 1 });
});

test('while idle nothing runs: no timer under fifteen seconds and no animation frame', async () => {
  const init = () => {
    window.waiting = new Map();
    const wrap = (name, cancel, once) => {
      const real = window[name];
      window[name] = (run, ms = 0, ...args) => {
        const id = real.call(window, (...args) => {
          if (once) window.waiting.delete(id);
          run(...args);
        }, ms, ...args);
        window.waiting.set(id, `${name} ${name === 'requestAnimationFrame' ? 0 : ms}`);
        return id;
      };
      const stop = window[cancel];
      window[cancel] = (id) => {
        window.waiting.delete(id);
        stop.call(window, id);
      };
    };
    wrap('setTimeout', 'clearTimeout', true);
    wrap('setInterval', 'clearInterval', false);
    wrap('requestAnimationFrame', 'cancelAnimationFrame', true);
  };
  const shop = await here.site();
  const john = await here.visitor({ init });
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Anybody there?');
  await john.sent();
  const soon = () => john.page.evaluate(() => [...window.waiting.values()].filter((timer) => Number(timer.split(' ')[1]) < 15_000));
  // Timers of the last action run out; a recurring timer would appear in every sample.
  await eventually(async () => assert.deepEqual(await soon(), []));
  for (let look = 0; look < 3; look += 1) {
    await settled(john.page);
    assert.deepEqual(await soon(), []);
  }
});
