// A visitor of a website: what they do in the chat, and what they see.
import { eventually } from './eventually.js';
import { watch } from './browser.js';
import assert from 'node:assert/strict';

export class Visitor {
  constructor(page) {
    this.page = page;
    this.seen = watch(page);
    this.launcher = page.locator('ocs-chat button.b');
    this.panel = page.locator('ocs-chat').getByRole('dialog').first();
    this.composer = page.locator('ocs-chat').getByLabel('Write a message…');
    this.bubbles = page.locator('ocs-chat [role=log] [role=article]');
    this.status = page.locator('ocs-chat .status');
  }

  get context() {
    return this.page.context();
  }

  async visit(url) {
    await this.page.goto(url);
    await this.launcher.waitFor();
    return this;
  }

  /** Opens the chat, unless it is already open because it was left open on the previous page. */
  async open() {
    if ((await this.launcher.getAttribute('aria-expanded')) === 'false') await this.launcher.click();
    await this.composer.waitFor();
    return this;
  }

  async write(...texts) {
    for (const text of texts) {
      await this.composer.fill(text);
      await this.composer.press('Enter');
    }
  }

  bubble(text) {
    return this.bubbles.filter({ hasText: text });
  }

  /** Picks pictures into the tray. */
  async choose(...files) {
    const place = this.page.locator('ocs-chat');
    await place.locator('input[type=file]').setInputFiles(files);
    for (const { name } of files) await place.getByRole('button', { name: `Remove: ${name}` }).waitFor();
  }

  async reads(text, options) {
    await this.bubble(text).first().waitFor(options);
  }

  /** All message texts in the chat, oldest first, without names and times. */
  texts() {
    return this.page.locator('ocs-chat [role=log] [role=article] .bubble').allInnerTexts();
  }

  async hasTexts(expected, within) {
    await eventually(async () => assert.deepEqual(await this.texts(), expected), within);
  }

  /** Waits until the server has stored the newest own message: sent, delivered or read. */
  async sent() {
    await eventually(async () => assert.match(await this.page.locator('ocs-chat .ticks').last().getAttribute('title'), /^(Sent|Delivered|Read)$/));
  }

  /** Waits for a receipt of the newest own message: Delivered, Read … */
  async lastTick(word, within) {
    await eventually(async () => assert.equal(await this.page.locator('ocs-chat .ticks').last().getAttribute('title'), word), within);
  }
}
