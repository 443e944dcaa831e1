// The console: how long until one can work in it, and what it holds after a long day.
import { loadProtocol } from '../support/packages.js';
import { ConsoleDoor } from '../support/console_door.js';
import { chatShows, heapOf, settled } from '../support/weight.js';
import { Tab } from './tab.js';

const CONVERSATIONS = 40;

async function visitorsOf(server, site) {
  const { WidgetDoor } = await loadProtocol();
  for (let n = 0; n < CONVERSATIONS; n += 1) {
    const door = new WidgetDoor(server.url, site.key);
    const { token } = await door.start({ external_id: `visitor-${n}`, nickname: `Visitor ${n}`, anonymous: false, locale: 'en', timezone: 'UTC' });
    door.token = token;
    await door.send(`first-${n}-${n}`, { text: `Question ${n}` });
  }
}

export class Console {
  static async fill(browser, server, site) {
    const desk = new Console();
    Object.assign(desk, { browser, server, site });
    await visitorsOf(server, site);
    desk.door = await ConsoleDoor.signIn(server.url, site.owner);
    return desk;
  }

  async #signedIn() {
    const context = await this.browser.newContext({ viewport: { width: 1200, height: 800 } });
    const cookies = this.door.cookie.split('; ').map((pair) => pair.split('='));
    await context.addCookies(cookies.map(([name, ...value]) => ({ name, value: value.join('='), url: this.server.url })));
    return context;
  }

  /** From the address to an inbox that can be used; nothing of it is in the browser's cache. */
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

  /** `messages` told to a console that looks into one conversation after another. */
  async replay(messages) {
    const tab = await Tab.open(this.browser, `${this.server.url}/chat`, { context: await this.#signedIn(), counted: true });
    const { page } = tab;
    await page.locator('a[id^="row-"]').first().waitFor();
    const conversations = await this.door.conversations();
    for (let said = 0; said < messages; ) {
      const round = conversations.map(({ id }, at) => this.door.reply(this.site.id, id, `replay-${said + at}`, `Answer ${said + at}: as long as people write when they explain something.`));
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
