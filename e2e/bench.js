// Times in a real browser, beside a blank page: `node e2e/bench.js [runs]`. A measurement, not a check: it needs a quiet
// machine, and PROGRAM=target/release/ocs. Prints medians; writes e2e/out/bench.json.
import { mkdir, writeFile } from 'node:fs/promises';
import { openBrowser } from './support/browser.js';
import { snippet, Website } from './support/pages.js';
import { Server } from './support/server.js';
import { Visitor } from './support/visitor.js';
import { heapOf, nodesOf, settled } from './support/weight.js';

const RUNS = Number(process.argv[2] ?? 5);
const THROTTLE = 4;
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Long tasks from the beginning, and how long each action took until its next paint. */
const watchTasks = () => {
  window.long = [];
  window.slowest = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((task) => window.long.push(task.duration))).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach((event) => (window.slowest = Math.max(window.slowest, event.duration)))).observe({ type: 'event', durationThreshold: 16, buffered: true });
};

async function tab(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
  await context.addInitScript(watchTasks);
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  await tools.send('Performance.enable');
  await tools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE });
  await page.goto(url);
  return { context, page, tools };
}

async function view(browser, url, launcher) {
  const { context, page, tools } = await tab(browser, url);
  if (launcher) while ((await nodesOf(page)) < 3) await settled(page);
  await settled(page);
  const { metrics } = await tools.send('Performance.getMetrics');
  const of = (name) => metrics.find((metric) => metric.name === name).value * 1_000;
  const long = await page.evaluate(() => window.long);
  const seen = {
    'script, ms': of('ScriptDuration'),
    'main thread, ms': of('TaskDuration'),
    'longest task, ms': Math.max(0, ...long),
    'blocking time, ms': long.reduce((sum, task) => sum + task - 50, 0),
    'heap, kB': (await heapOf(page)) / 1_000,
    nodes: await nodesOf(page),
  };
  await context.close();
  return seen;
}

/** Milliseconds from an action inside the page until `shown` is true and painted. */
const until = (page, act, shown) => page.evaluate(async ([act, shown]) => {
  const chat = document.querySelector('ocs-chat').shadowRoot;
  const [begin, isShown] = [new Function('chat', act), new Function('chat', `return ${shown}`)];
  const start = performance.now();
  begin(chat);
  while (!isShown(chat)) await new Promise(requestAnimationFrame);
  await new Promise((painted) => requestAnimationFrame(() => setTimeout(painted)));
  return performance.now() - start;
}, [act, shown]);

async function use(browser, url) {
  const { context, page } = await tab(browser, url);
  const visitor = new Visitor(page);
  await visitor.launcher.hover();
  await settled(page);
  const open = await until(page, 'chat.querySelector("button.b").click()', 'chat.querySelector("textarea")?.offsetParent');
  await visitor.write('Warm');
  await visitor.sent();
  await visitor.composer.fill('Measured');
  const enter = 'chat.querySelector("textarea").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, composed: true, cancelable: true }))';
  const bubble = await until(page, enter, '[...chat.querySelectorAll("[role=article]")].some((row) => row.textContent.includes("Measured"))');
  await visitor.sent();
  await page.keyboard.press('Escape');
  await visitor.launcher.click();
  await visitor.composer.pressSequentially('typed');
  await settled(page);
  const slowest = await page.evaluate(() => window.slowest);
  await context.close();
  return { 'click until the composer is there, warm, ms': open, 'key until the own bubble is painted, ms': bubble, 'slowest action (INP), ms': slowest };
}

async function medians(measure) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await measure());
  return Object.fromEntries(Object.keys(runs[0]).map((name) => [name, median(runs.map((run) => run[name]))]));
}

const server = await Server.start({});
const website = await Website.open();
const browser = await openBrowser();
try {
  const site = await server.addSite({ owner: 'otto@shop.example', name: 'Northwind Shop', person: 'Otto' });
  const blank = website.put('/blank', '');
  const chat = website.put('/chat', snippet(server.url, site.key));
  await view(browser, chat, true);
  const figures = {
    throttle: THROTTLE,
    runs: RUNS,
    blank: await medians(() => view(browser, blank, false)),
    withChat: await medians(() => view(browser, chat, true)),
    use: await medians(() => use(browser, chat)),
  };
  await mkdir(new URL('out/', import.meta.url), { recursive: true });
  await writeFile(new URL('out/bench.json', import.meta.url), `${JSON.stringify(figures, null, 2)}\n`);
  for (const [name, value] of Object.entries(figures.withChat)) console.log(`${name.padEnd(46)} ${value.toFixed(0).padStart(6)}   blank page ${figures.blank[name].toFixed(0)}`);
  for (const [name, value] of Object.entries(figures.use)) console.log(`${name.padEnd(46)} ${value.toFixed(0).padStart(6)}`);
} finally {
  await browser.close();
  website.close();
  await server.discard();
}
