// A long conversation: what it weighs, and what one more message costs.
import { pause } from '../support/eventually.js';
import { chatShows, heapOf, openChat, settled } from '../support/weight.js';
import { Visitor } from '../support/visitor.js';
import { Tab } from './tab.js';

/** Long enough to be drawn, looked at and told as read. */
const READ_WITHIN_MS = 1_500;

const line = (n) => `Line ${n}: as long as people write when they explain something.`;

/** `door` answers in the conversation; `blank` is what the heap of a page without a chat takes. */
export class LongChat {
  #said = 0;

  static async begin(browser, url, { door, site }) {
    const chat = new LongChat();
    chat.context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
    const john = await new Visitor(await chat.context.newPage()).visit(url);
    await john.open();
    await john.write('How much does it weigh?');
    await john.sent();
    await john.page.close();
    const [{ id }] = await door.conversations();
    chat.say = async () => {
      chat.#said += 1;
      await door.reply(site, id, `long-${chat.#said}`, line(chat.#said));
    };
    chat.tab = await Tab.open(browser, url, { context: chat.context, counted: true });
    await openChat(chat.tab.page);
    return chat;
  }

  async growTo(count) {
    while (this.#said < count - 1) {
      await this.say();
      // At the page's pace: each one is acknowledged, and who acknowledges too fast is sent away.
      if (this.#said % 20 === 0) await this.#shown();
    }
    await this.#shown();
  }

  async heap(blank) {
    return { 'heap added with 200 messages open, kB': (await heapOf(this.tab.page)) / 1_000 - blank };
  }

  /**
   * Script of the page for one message that comes in, and all that it sets going. Nothing is asked of the page meanwhile:
   * what answers is script too.
   */
  async append(times) {
    const { tab } = this;
    const before = await tab.quiet();
    for (let n = 0; n < times; n += 1) {
      await this.say();
      await pause(READ_WITHIN_MS);
    }
    const after = await tab.quiet();
    await this.#shown();
    return (after.script - before.script) / times;
  }

  close() {
    return this.tab.close();
  }

  async #shown() {
    await chatShows(this.tab.page, `Line ${this.#said}:`);
    await settled(this.tab.page);
  }
}
