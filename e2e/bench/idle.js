// CPU time of an open chat while nothing happens.
import { pause } from '../support/eventually.js';
import { openChat, settled } from '../support/weight.js';
import { Visitor } from '../support/visitor.js';
import { Tab } from './tab.js';

/** Main-thread time during a minute, unthrottled. The blinking caret is the browser's: the page without a chat has one too. */
async function minute(tab, seconds) {
  await settled(tab.page);
  const before = await tab.spent();
  await pause(seconds * 1_000);
  const after = await tab.spent();
  const aMinute = 60 / seconds / tab.times;
  return { script: (after.script - before.script) * aMinute, main: (after.main - before.main) * aMinute };
}

export async function idle(browser, { blank, chat }, seconds) {
  const without = await Tab.open(browser, blank, { counted: true });
  await without.page.focus('input');
  const plain = await minute(without, seconds);
  await without.close();

  const tab = await Tab.open(browser, chat, { counted: true });
  const john = new Visitor(tab.page);
  await openChat(tab.page);
  await john.write('Anybody there?');
  await john.sent();
  const used = await minute(tab, seconds);
  await tab.close();
  return { 'script while idle, ms a minute': used.script, 'main thread while idle, ms a minute, added': used.main - plain.main };
}
