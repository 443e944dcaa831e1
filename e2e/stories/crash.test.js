import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, pause } from '../support/eventually.js';
import { loadProtocol } from '../support/packages.js';
import { scene } from '../support/scene.js';

const here = scene({ browser: false });
const ROUNDS = 50;
const VISITORS = 4;

/** Sends one message after the other, retrying each under the same id until the server acknowledges it. */
class Writer {
  acknowledged = [];
  working = true;

  constructor(api, name) {
    this.api = api;
    this.name = name;
  }

  async run() {
    for (let n = 1; this.working; n++) {
      const text = `${this.name} ${n}`;
      for (;;) {
        try {
          const { message } = await this.api.send(`${this.name}-${n}`, { text });
          assert.equal(message.text, text);
          this.acknowledged.push({ text, seq: message.seq });
          break;
        } catch (error) {
          if (error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
          if (!this.working) return;
          await pause(15);
        }
      }
    }
  }
}

test(`the server is killed ${ROUNDS} times during a burst: every acknowledged message is stored once and in order`, async (t) => {
  const { WidgetApi } = await loadProtocol();
  const shop = await here.site({ limits: { messages_per_minute: 600, api_per_minute: 60_000, image_bytes: 5_242_880 } });
  const writers = [];
  for (let n = 1; n <= VISITORS; n++) {
    const api = new WidgetApi(here.url, shop.key);
    const state = await api.start({ external_id: `crash-${n}`, anonymous: false });
    api.token = state.token;
    writers.push(new Writer(api, `visitor${n}`));
  }
  const running = writers.map((writer) => writer.run());
  for (let round = 0; round < ROUNDS; round++) {
    const before = writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    await eventually(async () => assert.ok(writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0) > before + VISITORS), 20_000);
    await pause(Math.random() * 60);
    await here.server.kill();
    await here.server.up();
  }
  await pause(100);
  for (const writer of writers) writer.working = false;
  await Promise.all(running);

  const conversations = await shop.api.conversations();
  assert.equal(conversations.length, VISITORS, 'one conversation each');
  let total = 0;
  for (const conversation of conversations) {
    const thread = await shop.api.wholeThread(shop.id, conversation.id);
    const { name, acknowledged } = writers[Number(conversation.visitor.external_id.split('-')[1]) - 1];
    assert.deepEqual(thread.map(({ seq }) => seq), thread.map((_, at) => at + 1), 'numbers without a gap');
    assert.deepEqual(thread.map(({ text }) => text), thread.map((_, at) => `${name} ${at + 1}`), 'each once, in order');
    for (const { text, seq } of acknowledged) assert.equal(thread[seq - 1].text, text);
    assert.ok(thread.length - acknowledged.length <= 1, 'at most the last one was not acknowledged');
    total += acknowledged.length;
  }
  t.diagnostic(`${total} messages acknowledged over ${ROUNDS} kills`);
});
