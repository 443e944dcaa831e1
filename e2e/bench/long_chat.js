// A long conversation: memory, and the cost of one more message.
import { pause } from '../support/eventually.js';
import { chatShows, heapOf, openChat, settled } from '../support/weight.js';
import { Visitor } from '../support/visitor.js';
import { Tab } from './tab.js';

/** Long enough for a message to be rendered and its read receipt sent. */
const READ_WITHIN_MS = 1_500;

const line = (n) => `Line ${n}: as long as people write when they explain something.`;

/** `api` replies in the conversation; `blank` is the heap size of a page without a chat. */
export class LongChat {
  #replies = 0;

  static async begin(browser, url, { api, site }) {
    const chat = new LongChat();
    chat.context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
    const john = await new Visitor(await chat.context.newPage()).visit(url);
    await john.open();
    await john.write('How much does it weigh?');
    await john.sent();
    await john.page.close();
    const [{ id }] = await api.conversations();
    chat.reply = async () => {
      chat.#replies += 1;
      await api.reply(site, id, `long-${chat.#replies}`, line(chat.#replies));
    };
    chat.tab = await Tab.open(browser, url, { context: chat.context, counted: true });
    await openChat(chat.tab.page);
    return chat;
  }

  async growTo(count) {
    while (this.#replies < count - 1) {
      await this.reply();
      // At the page's pace: it acknowledges each message, and acknowledging too fast would end its connection.
      if (this.#replies % 20 === 0) await this.#shown();
    }
    await this.#shown();
  }

  async heap(blank) {
    return { 'heap added with 200 messages open, kB': (await heapOf(this.tab.page)) / 1_000 - blank };
  }

  /**
   * Script time of the page for one incoming message and everything that it triggers. The page is not queried meanwhile,
   * because answering a query runs script too.
   */
  async append(times) {
    const { tab } = this;
    const before = await tab.quiet();
    for (let n = 0; n < times; n += 1) {
      await this.reply();
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
    await chatShows(this.tab.page, `Line ${this.#replies}:`);
    await settled(this.tab.page);
  }
}
