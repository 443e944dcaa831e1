// A page on a slow machine, and what it costs there.
import { pause } from '../support/eventually.js';

/** Times slower than this machine. */
export const THROTTLE = 4;

const QUIET_MS = 300;

/** 150 ms there and back, 1.6 Mbit/s. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };

/** Long tasks from the beginning, and how long each action took until its next paint. */
const watchTasks = () => {
  window.long = [];
  window.slowest = 0;
  const observe = (told, options) => new PerformanceObserver((list) => list.getEntries().forEach(told)).observe({ buffered: true, ...options });
  observe((task) => window.long.push(task.duration), { type: 'longtask' });
  // INP is about what people do: a pointer that only passes over something has no interaction.
  observe((event) => event.interactionId > 0 && (window.slowest = Math.max(window.slowest, event.duration)), { type: 'event', durationThreshold: 16 });
};

export class Tab {
  /** `counted`: the thread's time is what matters, not the clock. */
  static async open(browser, url, { slow4g = false, counted = false, context: known } = {}) {
    const tab = new Tab();
    tab.context = known ?? (await browser.newContext({ viewport: { width: 1200, height: 800 } }));
    tab.page = await tab.context.newPage();
    await tab.page.addInitScript(watchTasks);
    tab.tools = await tab.context.newCDPSession(tab.page);
    // Time of the page's own thread: what other programs of this machine take meanwhile is not the page's.
    await tab.tools.send('Performance.enable', { timeDomain: 'threadTicks' });
    // Slowing goes by the clock: a thread that others kept waiting is slowed for that too. What is counted is multiplied.
    tab.times = counted ? THROTTLE : 1;
    await tab.tools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE / tab.times });
    if (slow4g) {
      await tab.tools.send('Network.enable');
      await tab.tools.send('Network.emulateNetworkConditions', SLOW_4G);
    }
    await tab.page.goto(url, { waitUntil: slow4g ? 'commit' : 'load' });
    return tab;
  }

  /** Milliseconds that the page's thread would have spent so far on the slow machine. */
  async spent() {
    const { metrics } = await this.tools.send('Performance.getMetrics');
    const of = (name) => metrics.find((metric) => metric.name === name).value * 1_000 * this.times;
    return { script: of('ScriptDuration'), main: of('TaskDuration') };
  }

  /** Waits until the page runs no script, without running any in it. Answers what was spent until then. */
  async quiet() {
    for (let before = await this.spent(); ; ) {
      await pause(QUIET_MS);
      const now = await this.spent();
      if (now.script === before.script) return now;
      before = now;
    }
  }

  close() {
    return this.context.close();
  }
}

/** Milliseconds from the person's `event` that `act` brings about until the end of the frame that shows what was asked for. */
export async function untilPainted(page, event, shown, act) {
  await page.evaluate(([event, shown]) => {
    const chat = document.querySelector('ocs-chat').shadowRoot;
    const isShown = new Function('chat', `return ${shown}`);
    window.painted = new Promise((painted) => addEventListener(event, ({ timeStamp }) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => painted(performance.now() - timeStamp);
      // Asked inside a frame, before it is painted: the next task comes after it. To wait for another frame would add one.
      const look = () => (isShown(chat) ? port2.postMessage(0) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    }, { capture: true, once: true }));
  }, [event, shown]);
  await act();
  return page.evaluate(() => window.painted);
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

export async function medians(runs, measure) {
  const seen = [];
  for (let run = 0; run < runs; run += 1) seen.push(await measure(run));
  return Object.fromEntries(Object.keys(seen[0]).map((name) => [name, median(seen.map((figures) => figures[name]))]));
}
