// Measures the chat in a real browser against a blank page: `node e2e/bench.js [runs]`. It checks nothing.
// PROGRAM=target/release/ocs names the server. Prints medians and goals; writes e2e/out/bench.json.
import { mkdir, writeFile } from 'node:fs/promises';
import { Console } from './bench/console.js';
import { idle } from './bench/idle.js';
import { LongChat } from './bench/long_chat.js';
import { medians, THROTTLE } from './bench/tab.js';
import { openCold, use } from './bench/use.js';
import { view } from './bench/view.js';
import { openBrowser } from './support/browser.js';
import { ConsoleApi } from './support/console_api.js';
import { snippet, Website } from './support/pages.js';
import { Server } from './support/server.js';

const RUNS = Number(process.argv[2] ?? 5);
const IDLE_S = Number(process.env.IDLE_S ?? 60);
const REPLAYED = 5_000;

/** The goals: maximum values, absolute or relative to the blank page. */
const GOALS = {
  'script, ms': 50,
  'longest task, ms': 'blank page',
  'blocking time, ms': 'blank page',
  'heap, kB': 'blank page + 250',
  nodes: 15,
  'click until the composer is there, warm, ms': 150,
  'click until the composer is there, cold, slow 4G, ms': 1_200,
  'key until the own bubble is painted, ms': 50,
  'slowest action (INP), ms': 100,
  'heap added with 200 messages open, kB': 2_500,
  'one more message at 200, script, ms': 4,
  'one more message at 1,000, script, ms': 4,
  'script while idle, ms a minute': 20,
  'main thread while idle, ms a minute, added': 20,
  'console until its inbox can be used, slow 4G, ms': 2_500,
  [`console heap after ${REPLAYED} messages, MB`]: 80,
};

const server = await Server.start({});
const website = await Website.open();
const browser = await openBrowser();
const figures = { throttle: THROTTLE, runs: RUNS };

function print(found, blank = {}) {
  Object.assign(figures, found);
  for (const [name, value] of Object.entries(found)) {
    const beside = blank[name] === undefined ? '' : `   blank page ${blank[name].toFixed(0)}`;
    const goal = GOALS[name] === undefined ? '' : `   goal ${GOALS[name]}`;
    console.log(`${name.padEnd(56)} ${value.toFixed(value < 10 ? 1 : 0).padStart(6)}${beside}${goal}`);
  }
}

async function newSite(owner) {
  const site = await server.addSite({ owner, name: 'Northwind Shop', person: 'Otto' });
  return { ...site, api: await ConsoleApi.signIn(server.url, owner), page: website.put(`/${site.key}`, snippet(server.url, site.key)) };
}

try {
  const shop = await newSite('otto@shop.example');
  const page = website.put('/blank', '');
  await view(browser, shop.page, true);
  const blank = await medians(RUNS, () => view(browser, page, false));
  print(await medians(RUNS, () => view(browser, shop.page, true)), blank);
  print(await medians(RUNS, () => use(browser, shop.page)));
  print(await medians(RUNS, () => openCold(browser, shop.page)));
  print(await idle(browser, { blank: page, chat: shop.page }, IDLE_S));

  const lamps = await newSite('olga@lamps.example');
  const long = await LongChat.begin(browser, lamps.page, { api: lamps.api, site: lamps.id });
  await long.growTo(200);
  print(await long.heap(blank['heap, kB']));
  print({ 'one more message at 200, script, ms': await long.append(10) });
  await long.growTo(1_000);
  print({ 'one more message at 1,000, script, ms': await long.append(10) });
  await long.close();

  const desk = await Console.fill(browser, server, await newSite('oscar@chairs.example'));
  print(await medians(RUNS, () => desk.open()));
  print(await desk.replay(REPLAYED));
  await mkdir(new URL('out/', import.meta.url), { recursive: true });
  await writeFile(new URL('out/bench.json', import.meta.url), `${JSON.stringify(figures, null, 2)}\n`);
} finally {
  await browser.close();
  website.close();
  await server.discard();
}
