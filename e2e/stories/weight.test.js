// What the chat weighs on somebody's page: nodes and memory. Bytes are checked by `npm run budget`; requests, storage and
// layout shift in the stories of citizenship.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.js';
import { scene } from '../support/scene.js';
import { chatShows, heapOf, nodesOf, openChat, settled } from '../support/weight.js';

const here = scene();
const MEGABYTE = 1_000_000;

/** How many elements each update of styles took in while `act` went on. */
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

test('before it is opened it is a handful of nodes and a quarter of a megabyte', async () => {
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

/** A shop's page, open, with so many messages. `say` adds one more. */
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
  const [{ id }] = await shop.door.conversations();
  const say = async (n) => {
    await shop.door.reply(shop.id, id, `weight-${n}`, `Line ${n}: as long as people write when they explain something.`);
    // At the page's pace: each one is acknowledged, and who acknowledges too fast is sent away.
    if (n % 20 === 0) await chatShows(page, `Line ${n}:`);
  };
  for (let n = 1; n < count; n += 1) await say(n);
  await chatShows(page, `Line ${count - 1}:`);
  await settled(page);
  return { page, say };
}

test('open with two hundred messages it takes two and a half megabytes at most', async () => {
  const { page } = await longChat(200);
  const added = (await heapOf(page)) - (await blank());
  assert.ok(added <= 2.5 * MEGABYTE, `${added} bytes added`);
});

test('one more message touches its own row and the one above, and styles nothing else', async () => {
  const { page, say } = await longChat(60);
  const tools = await page.context().newCDPSession(page);
  await page.evaluate(() => {
    const log = document.querySelector('ocs-chat').shadowRoot.querySelector('[role=log]');
    const rows = [...log.querySelectorAll('[role=article]')];
    window.touched = new Set();
    const rowOf = ({ target }) => rows.find((row) => row.contains(target));
    new MutationObserver((changes) => changes.map(rowOf).forEach((row) => row && window.touched.add(row))).observe(log, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  const styled = await stylesOf(tools, async () => {
    await say(60);
    await chatShows(page, 'Line 60:');
    await settled(page);
  });
  assert.ok(await page.evaluate(() => window.touched.size) <= 1, 'rows that were there');
  // A row is a handful of elements; the panel has two hundred.
  assert.ok(styled.length > 0 && Math.max(...styled) <= 60, `elements styled at once: ${styled}`);
});

test('an answer that is read at once costs one word to the server, two to other tabs, and nothing in the storage', async () => {
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
    count('told', BroadcastChannel, 'postMessage');
    count('sent', WebSocket, 'send');
  };
  const shop = await here.site();
  const john = await here.visitor({ init });
  await john.visit(here.page(shop));
  await john.open();
  await john.write('Anybody there?');
  await john.sent();
  const [{ id }] = await shop.door.conversations();
  const answer = async (seq) => {
    await shop.door.reply(shop.id, id, `answer-${seq}`, `Answer ${seq}`);
    await eventually(async () => assert.equal((await shop.door.conversations())[0].visitor_seen_seq, seq));
    await settled(john.page);
  };
  // What the first one begins, such as the count of a conversation that is now open, is not the second one's.
  await answer(2);
  await john.page.evaluate(() => (window.done = {}));
  await answer(3);
  assert.deepEqual(await john.page.evaluate(() => window.done), { told: 2, sent: 1 });
});

test('while nothing happens nothing runs: no timer under fifteen seconds, no frame asked for', async () => {
  const init = () => {
    window.waiting = new Map();
    const wrap = (name, cancel, once) => {
      const real = window[name];
      window[name] = (run, ms = 0, ...args) => {
        const id = real.call(window, (...told) => {
          if (once) window.waiting.delete(id);
          run(...told);
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
  // What the last action began runs out; what comes back by itself would be there at every look.
  await eventually(async () => assert.deepEqual(await soon(), []));
  for (let look = 0; look < 3; look += 1) {
    await settled(john.page);
    assert.deepEqual(await soon(), []);
  }
});
