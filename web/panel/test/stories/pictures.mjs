import assert from "node:assert/strict";
import { PNG, test, visit } from "../stub/visit.mjs";

const choose = async (chat, name) => {
  await chat.page.locator("ocs-chat input[type=file]").setInputFiles({ name, mimeType: "image/png", buffer: PNG });
  await chat.page.getByRole("button", { name: `Remove: ${name}` }).waitFor();
};
/** How many pictures the browser keeps for the site. */
const kept = (chat) => chat.page.evaluate(() => new Promise((resolve) => {
  const request = indexedDB.open("ocs:wk_1", 1);
  request.onupgradeneeded = () => request.result.createObjectStore("images");
  request.onsuccess = () => {
    const count = request.result.transaction("images").objectStore("images").count();
    count.onsuccess = () => (request.result.close(), resolve(count.result));
  };
}));
const keeps = (chat, count) => chat.until(async () => (await kept(chat)) === count, `${count} kept`);

test("a picture is kept from when it is sent until the server holds it, and no other", async (chat) => {
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  // Of an earlier visit, in which it was chosen and not sent.
  assert.equal(await kept(chat), 0);
  await chat.page.evaluate(() => new Promise((done) => {
    indexedDB.open("ocs:wk_1", 1).onsuccess = ({ target: { result } }) => {
      const put = result.transaction("images", "readwrite");
      put.objectStore("images").put(new Blob(["old"]), "old");
      put.oncomplete = () => (result.close(), done());
    };
  }));
  await choose(chat, "a.png");
  await keeps(chat, 0);
  chat.stub.behaviour.down = true;
  await chat.page.getByRole("button", { name: "Send", exact: true }).click();
  await keeps(chat, 1);
  await choose(chat, "b.png");
  await chat.page.reload();
  await keeps(chat, 1);
  chat.stub.behaviour.down = false;
  await chat.open();
  await chat.until(() => chat.stub.sends.some(({ image }) => image));
  await keeps(chat, 0);
});

test("a picture that waits to be sent goes with its writer", async () => {
  const chat = await visit({}, { script: "window.OCS={externalId:'vera'}" });
  await chat.open();
  await chat.say("Hello");
  await chat.page.waitForSelector("ocs-chat .ticks.sent");
  await choose(chat, "a.png");
  chat.stub.behaviour.down = true;
  await chat.page.getByRole("button", { name: "Send", exact: true }).click();
  await keeps(chat, 1);
  await chat.page.evaluate(() => OCS.logout());
  await keeps(chat, 0);
  await chat.end();
});

test("files that are dropped on any part of the chat never take the page away", async (chat) => {
  await chat.open();
  const drop = (part) => chat.page.evaluate((part) => {
    const dataTransfer = new DataTransfer();
    const canvas = Object.assign(document.createElement("canvas"), { width: 2, height: 2 });
    canvas.getContext("2d").fillRect(0, 0, 2, 2);
    const bytes = Uint8Array.from(atob(canvas.toDataURL("image/png").split(",")[1]), (letter) => letter.charCodeAt(0));
    dataTransfer.items.add(new File([bytes], `${part}.png`, { type: "image/png" }));
    const at = document.querySelector("ocs-chat").shadowRoot.querySelector(part);
    const taken = ["dragenter", "dragover", "drop"].map((type) => !at.dispatchEvent(new DragEvent(type, { bubbles: true, composed: true, cancelable: true, dataTransfer })));
    return taken.slice(1);
  }, part);
  for (const part of ["h2", "textarea", ".log"]) {
    assert.deepEqual(await drop(part), [true, true], part);
    await chat.page.getByRole("button", { name: `Remove: ${part}.png` }).waitFor();
  }
  await chat.page.getByRole("button", { name: "Emoji" }).click();
  await chat.page.getByLabel("Search emoji").waitFor();
  assert.deepEqual(await drop(".layer > *"), [true, true], "emoji");
  await chat.page.keyboard.press("Escape");
  await chat.page.getByRole("button", { name: "Send", exact: true }).click();
  await chat.page.locator("ocs-chat .picture > button").first().click();
  await chat.page.waitForSelector("ocs-chat .lightbox");
  assert.deepEqual(await drop(".lightbox"), [true, true], "lightbox");
});

test("where the site wants proof, files that are dropped are let fall", async () => {
  const chat = await visit({ identity: false }, { script: "window.OCS={externalId:'vera'}" });
  await chat.open();
  await chat.page.waitForSelector("ocs-chat .refused");
  const taken = await chat.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["x"], "a.png", { type: "image/png" }));
    return !document.querySelector("ocs-chat").shadowRoot.querySelector(".refused").dispatchEvent(new DragEvent("drop", { bubbles: true, composed: true, cancelable: true, dataTransfer }));
  });
  assert.equal(taken, true);
  await chat.end();
});
