// What a page takes, as the browser counts it.

/** Nothing is under way any more. */
export const settled = (page) => page.evaluate(() => new Promise((idle) => setTimeout(() => requestIdleCallback(idle), 400)));

/** Bytes of the page's JavaScript heap after a collection. */
export async function heapOf(page) {
  const tools = await page.context().newCDPSession(page);
  await tools.send('HeapProfiler.enable');
  // The second one takes what the first one's finalizers let go.
  for (let round = 0; round < 2; round += 1) await tools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await tools.send('Runtime.getHeapUsage');
  await tools.detach();
  return usedSize;
}

/**
 * Waits for something inside the chat without the driver's locators: they bring a library into the page that weighs more
 * than the chat.
 */
export const chatShows = (page, text) => page.evaluate(async (text) => {
  const shown = () => document.querySelector('ocs-chat')?.shadowRoot?.textContent.includes(text);
  while (!shown()) await new Promise((again) => setTimeout(again, 50));
}, text);

/** Opens the chat, likewise. */
export const openChat = (page) => page.evaluate(async () => {
  const find = (selector) => document.querySelector('ocs-chat')?.shadowRoot?.querySelector(selector);
  while (!find('button.b')) await new Promise((again) => setTimeout(again, 50));
  find('button.b').click();
  while (!find('textarea')) await new Promise((again) => setTimeout(again, 50));
});

/** Elements of the chat, in its shadow too. */
export const nodesOf = (page) => page.evaluate(() => {
  const chats = [...document.querySelectorAll('ocs-chat')];
  return chats.reduce((sum, chat) => sum + 1 + (chat.shadowRoot?.querySelectorAll('*').length ?? 0), 0);
});
