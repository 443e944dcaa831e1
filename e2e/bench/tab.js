// A page on a throttled CPU and network, and what it costs there.
import { pause } from '../support/eventually.js';

/** CPU slowdown factor. */
export const THROTTLE = 4;

const QUIET_MS = 300;

/** 150 ms round-trip time, 1.6 Mbit/s. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 94_000 };

/** Records long tasks from the beginning, and the time from each interaction to its next paint. */
const watchTasks = () => {
  window.long = [];
  window.slowest = 0;
  const observe = (callback, options) => new PerformanceObserver((list) => list.getEntries().forEach(callback)).observe({ buffered: true, ...options });
  observe((task) => window.long.push(task.duration), { type: 'longtask' });
  // As INP is defined: a pointer that only hovers is no interaction.
  observe((event) => event.interactionId > 0 && (window.slowest = Math.max(window.slowest, event.duration)), { type: 'event', durationThreshold: 16 });
};

export class Tab {
  /** `counted`: measure CPU time of the main thread instead of wall-clock time. */
  static async open(browser, url, { slow4g = false, counted = false, context: known } = {}) {
    const tab = new Tab();
    tab.context = known ?? (await browser.newContext({ viewport: { width: 1200, height: 800 } }));
    tab.page = await tab.context.newPage();
    await tab.page.addInitScript(watchTasks);
    tab.tools = await tab.context.newCDPSession(tab.page);
    // CPU time of the page's own thread excludes other programs on this machine.
    await tab.tools.send('Performance.enable', { timeDomain: 'threadTicks' });
    // Throttling works by wall-clock time and would also slow a thread that waits for others, so CPU time is multiplied instead.
    tab.times = counted ? THROTTLE : 1;
    await tab.tools.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE / tab.times });
    if (slow4g) {
      await tab.tools.send('Network.enable');
      await tab.tools.send('Network.emulateNetworkConditions', SLOW_4G);
    }
    await tab.page.goto(url, { waitUntil: slow4g ? 'commit' : 'load' });
    return tab;
  }

  /** Milliseconds that the page's thread would have used so far on the slow machine. */
  async spent() {
    const { metrics } = await this.tools.send('Performance.getMetrics');
    const of = (name) => metrics.find((metric) => metric.name === name).value * 1_000 * this.times;
    return { script: of('ScriptDuration'), main: of('TaskDuration') };
  }

  /** Waits until the page runs no script, without running any in it. Returns the time spent until then. */
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

/** Milliseconds from the user's `event`, caused by `act`, to the end of the frame in which `shown` is true. */
export async function untilPainted(page, event, shown, act) {
  await page.evaluate(([event, shown]) => {
    const chat = document.querySelector('ocs-chat').shadowRoot;
    const isShown = new Function('chat', `return ${shown}`);
    window.painted = new Promise((painted) => addEventListener(event, ({ timeStamp }) => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => painted(performance.now() - timeStamp);
      // Checked inside a frame, before it is painted: the next task runs after the paint. Waiting for another frame would add one.
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
