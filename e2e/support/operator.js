// An operator who uses the console in a browser.
import assert from 'node:assert/strict';
import { watch } from './browser.js';
import { eventually } from './eventually.js';
import { password } from './server.js';

export class Operator {
  constructor(page, url) {
    this.page = page;
    this.url = url;
    this.seen = watch(page);
    this.rows = page.locator('a[id^="row-"]');
    this.messages = page.getByRole('log').locator('article');
  }

  async signIn(email) {
    await this.page.goto(`${this.url}/login`);
    await this.page.getByLabel('E-mail').fill(email);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
    await this.page.waitForURL('**/chat');
    await this.page.getByRole('heading', { name: 'Inbox' }).waitFor();
    return this;
  }

  row(text) {
    return this.rows.filter({ hasText: text });
  }

  /** Opens the chat of a visitor. */
  async turnTo(name) {
    await this.row(name).first().click();
    await this.composer.waitFor();
  }

  get composer() {
    return this.page.getByLabel(/^Reply to/);
  }

  async write(...texts) {
    for (const text of texts) {
      await this.composer.fill(text);
      await this.composer.press('Enter');
    }
  }

  /** Picks pictures into the tray. */
  async choose(...files) {
    const place = this.page;
    await place.locator('input[type=file]').setInputFiles(files);
    for (const { name } of files) await place.getByRole('button', { name: `Remove: ${name}` }).waitFor();
  }

  async reads(text, options) {
    await this.messages.filter({ hasText: text }).first().waitFor(options);
  }

  texts() {
    return this.messages.locator('p.text').allInnerTexts();
  }

  async hasTexts(expected, within) {
    await eventually(async () => assert.deepEqual(await this.texts(), expected), within);
  }

  async lastTick(word, within) {
    await eventually(async () => assert.equal(await this.page.locator('.ticks').last().getAttribute('title'), word), within);
  }
}
