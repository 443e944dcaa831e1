// The cost of a page view before the chat is opened, compared with a page without it.
import { heapOf, nodesOf, settled } from '../support/weight.js';
import { Tab } from './tab.js';

/** Loads a page and, if `withChat`, waits for the chat. */
async function look(browser, url, { withChat, counted }) {
  const tab = await Tab.open(browser, url, { counted });
  do await settled(tab.page);
  while (withChat && (await nodesOf(tab.page)) < 3);
  return tab;
}

export async function view(browser, url, withChat) {
  const counted = await look(browser, url, { withChat, counted: true });
  const { script, main } = await counted.spent();
  const [heap, nodes] = [await heapOf(counted.page), await nodesOf(counted.page)];
  await counted.close();
  const slow = await look(browser, url, { withChat, counted: false });
  const long = await slow.page.evaluate(() => window.long);
  await slow.close();
  return {
    'script, ms': script,
    'main thread, ms': main,
    'longest task, ms': Math.max(0, ...long),
    'blocking time, ms': long.reduce((sum, task) => sum + task - 50, 0),
    'heap, kB': heap / 1_000,
    nodes,
  };
}
