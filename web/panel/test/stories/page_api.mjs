import assert from "node:assert/strict";
import { test, visit } from "../stub/visit.mjs";

test("OCS.send without a text sends nothing, and the browser's console says so", async (chat) => {
  await chat.open();
  await chat.page.evaluate(() => [undefined, null, {}, true].forEach((nothing) => OCS.send(nothing)));
  await chat.page.evaluate(() => [7, "Hello"].forEach((text) => OCS.send(text)));
  await chat.until(() => chat.stub.sends.length === 2);
  assert.deepEqual(chat.stub.sends.map(({ text }) => text), ["7", "Hello"]);
  assert.equal(chat.faults.length, 4);
  for (const fault of chat.faults) assert.match(fault, /^\[OCS\] send: /);
});

test("an externalId that is no text names nobody, and the browser's console says so", async () => {
  const chat = await visit({}, { script: "window.OCS={externalId:{id:1}}" });
  await chat.open();
  await chat.say("Hello");
  await chat.until(() => chat.stub.sends.length === 1);
  const [{ order }] = chat.did("start");
  assert.match(order.external_id, /^v_/);
  assert.deepEqual(chat.faults, ["[OCS] externalId: unreadable"]);
  await chat.end();
});

test("after logout the next externalId is heard", async () => {
  const chat = await visit({}, { script: "window.OCS={externalId:'vera'}" });
  await chat.open();
  await chat.until(() => chat.did("start").length === 1);
  await chat.page.evaluate(() => OCS.logout());
  await chat.page.waitForFunction(() => !OCS.externalId);
  await chat.say("Hello");
  await chat.until(() => chat.did("start").length === 2);
  assert.match(chat.did("start")[1].order.external_id, /^v_/);
  await chat.page.evaluate(() => void (OCS.externalId = "otto"));
  await chat.until(() => chat.did("start").length === 3);
  assert.equal(chat.did("start")[2].order.external_id, "otto");
  await chat.end();
});
