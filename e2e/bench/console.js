// The console: time until it is usable, and memory after a long day.
import { loadProtocol } from '../support/packages.js';
import { ConsoleApi } from '../support/console_api.js';
import { chatShows, heapOf, settled } from '../support/weight.js';
import { Tab } from './tab.js';

const CONVERSATIONS = 40;

async function visitorsOf(server, site) {
  const { WidgetApi } = await loadProtocol();
  for (let n = 0; n < CONVERSATIONS; n += 1) {
    const api = new WidgetApi(server.url, site.key);
    const { token } = await api.start({ external_id: `visitor-${n}`, nickname: `Visitor ${n}`, anonymous: false, locale: 'en', timezone: 'UTC' });
    api.token = token;
    await api.send(`first-${n}-${n}`, { text: `Question ${n}` });
  }
}

export class Console {
  static async fill(browser, server, site) {
    const desk = new Console();
    Object.assign(desk, { browser, server, site });
    await visitorsOf(server, site);
    desk.api = await ConsoleApi.signIn(server.url, site.owner);
    return desk;
  }

  async #signedIn() {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 800 } });
    const cookies = this.api.cookie.split('; ').map((pair) => pair.split('='));
    await context.addCookies(cookies.map(([name, ...value]) => ({ name, value: value.join('='), url: this.server.url })));
    return context;
  }

  /** Time from navigation to a usable inbox, with a cold browser cache. */
  async open() {
    const tab = await Tab.open(this.browser, `${this.server.url}/chat`, { context: await this.#signedIn(), slow4g: true });
    const shown = await tab.page.evaluate(async () => {
      while (!document.querySelector('a[id^="row-"]')) await new Promise(requestAnimationFrame);
      await new Promise(requestIdleCallback);
      return performance.now();
    });
    await tab.close();
    return { 'console until its inbox can be used, slow 4G, ms': shown };
  }

  /** Delivers `messages` events to a console that opens one conversation after another. */
  async replay(messages) {
    const tab = await Tab.open(this.browser, `${this.server.url}/chat`, { context: await this.#signedIn(), counted: true });
    const { page } = tab;
    await page.locator('a[id^="row-"]').first().waitFor();
    const conversations = await this.api.conversations();
    for (let said = 0; said < messages; ) {
      const round = conversations.map(({ id }, at) => this.api.reply(this.site.id, id, `replay-${said + at}`, `Answer ${said + at}: as long as people write when they explain something.`));
      await Promise.all(round);
      said += round.length;
      await page.locator('a[id^="row-"]').last().click();
    }
    await page.getByText(`Answer ${messages - 1}:`).first().waitFor();
    await settled(page);
    const heap = (await heapOf(page)) / 1_000_000;
    await tab.close();
    return { [`console heap after ${messages} messages, MB`]: heap };
  }
}
