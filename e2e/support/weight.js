// Measures a page's memory and nodes.

/** Waits until the page is idle. */
export const settled = (page) => page.evaluate(() => new Promise((idle) => setTimeout(() => requestIdleCallback(idle), 400)));

/** The size of the page's JavaScript heap after a garbage collection, in bytes. */
export async function heapOf(page) {
  const tools = await page.context().newCDPSession(page);
  await tools.send('HeapProfiler.enable');
  // The second collection frees what the finalizers of the first one released.
  for (let round = 0; round < 2; round += 1) await tools.send('HeapProfiler.collectGarbage');
  const { usedSize } = await tools.send('Runtime.getHeapUsage');
  await tools.detach();
  return usedSize;
}

/**
 * Waits for a text in the chat without the driver's locators, which inject a library into the page that is larger than the
 * chat.
 */
export const chatShows = (page, text) => page.evaluate(async (text) => {
  const shown = () => document.querySelector('ocs-chat')?.shadowRoot?.textContent.includes(text);
  while (!shown()) await new Promise((again) => setTimeout(again, 50));
}, text);

/** Opens the chat, also without locators. */
export const openChat = (page) => page.evaluate(async () => {
  const find = (selector) => document.querySelector('ocs-chat')?.shadowRoot?.querySelector(selector);
  while (!find('button.b')) await new Promise((again) => setTimeout(again, 50));
  find('button.b').click();
  while (!find('textarea')) await new Promise((again) => setTimeout(again, 50));
});

/** The number of the chat's elements, including those in its shadow root. */
export const nodesOf = (page) => page.evaluate(() => {
  const chats = [...document.querySelectorAll('ocs-chat')];
  return chats.reduce((sum, chat) => sum + 1 + (chat.shadowRoot?.querySelectorAll('*').length ?? 0), 0);
});
