import { describe, expect, it } from "vitest";
import { Outbox, type OutboxItem } from "../src/outbox.ts";
import { storageOutboxStore } from "../src/outbox_store.ts";
import { ApiError } from "../src/api_error.ts";
import { Clock, settle } from "./clock.ts";

class FakeStorage implements Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  readonly entries = new Map<string, string>();
  getItem = (name: string) => this.entries.get(name) ?? null;
  setItem = (name: string, value: string) => void this.entries.set(name, value);
  removeItem = (name: string) => void this.entries.delete(name);
}

function outbox(storage = new FakeStorage(), clock = new Clock()) {
  const server = {
    stored: [] as string[],
    answer: async (_: OutboxItem, _progress: (part: number) => void): Promise<void> => {},
    notes: [] as string[],
    /** Has the server stored the item? */
    isStored: async (_: OutboxItem): Promise<boolean> => Promise.reject(new TypeError("network")),
    lighter: async (_: OutboxItem): Promise<OutboxItem["image"]> => null,
  };
  const box = new Outbox(
    storageOutboxStore(storage as unknown as Storage, "out"),
    {
      async deliver(item, cancelled, progress) {
        await server.answer(item, progress);
        if (!cancelled.aborted) server.stored.push(item.client_id);
      },
      isStored: (item) => server.isStored(item),
      shrinkImage: (item) => server.lighter(item),
      changed() {},
      unauthorised: (code) => server.notes.push(code),
    },
    clock,
  );
  box.load();
  const write = (id: string, lane = "a") => box.add({ client_id: id, lane, text: id, image: null });
  return { box, server, write, clock, storage };
}

const picture = (name: string) => ({ name, type: "image/png", width: 10, height: 10 });
const offline = () => Promise.reject(new TypeError("network"));

describe("an outbox", () => {
  it("sends in order, one at a time", async () => {
    const { box, server, write } = outbox();
    const open: (() => void)[] = [];
    server.answer = () => new Promise((resolve) => open.push(resolve));
    box.resume();
    write("1");
    write("2");
    await settle();
    expect(open.length).toBe(1);
    open[0]?.();
    await settle();
    open[1]?.();
    await settle();
    expect(server.stored).toEqual(["1", "2"]);
    expect(box.items).toEqual([]);
  });

  it("keeps lanes apart", async () => {
    const { box, server, write } = outbox();
    server.answer = (item) => (item.lane === "a" ? new Promise(() => {}) : Promise.resolve());
    box.resume();
    write("1");
    write("2", "b");
    await settle();
    expect(server.stored).toEqual(["2"]);
  });

  it("survives a reload and sends once, in order", async () => {
    const { server, write, box, storage } = outbox();
    server.answer = offline;
    box.resume();
    for (const id of ["1", "2", "3"]) write(id);
    await settle();
    box.stop();
    const later = outbox(storage);
    later.box.resume();
    await settle();
    expect(later.server.stored).toEqual(["1", "2", "3"]);
    expect(storage.entries.size).toBe(0);
  });

  it("retries under the same id", async () => {
    const { box, server, write, clock } = outbox();
    const tried: string[] = [];
    server.answer = (item) => (tried.push(item.client_id), tried.length < 4 ? offline() : Promise.resolve());
    box.resume();
    write("1");
    await clock.pass(60_000);
    expect(tried).toEqual(["1", "1", "1", "1"]);
    expect(server.stored).toEqual(["1"]);
  });

  it("pauses everything while rate limited, then continues", async () => {
    const { box, server, write, clock } = outbox();
    let limited = true;
    server.answer = () => (limited ? Promise.reject(new ApiError(429, "sending_too_frequently", "sending too frequently", 5)) : Promise.resolve());
    box.resume();
    write("1");
    write("2");
    await settle();
    expect(box.heldUntil).toBe(clock.now() + 5_000);
    limited = false;
    await clock.pass(4_900);
    expect(server.stored).toEqual([]);
    await clock.pass(200);
    expect(server.stored).toEqual(["1", "2"]);
  });

  it("marks an item that can never be sent as failed, and continues with the rest", async () => {
    const { box, server, write } = outbox();
    server.answer = (item) => (item.client_id === "1" ? Promise.reject(new ApiError(413, "text_too_long", "too long")) : Promise.resolve());
    box.resume();
    write("1");
    write("2");
    await settle();
    expect(server.stored).toEqual(["2"]);
    expect(box.items.map(({ state, code }) => [state, code])).toEqual([["failed", "text_too_long"]]);
    server.answer = async () => {};
    box.retry("1");
    await settle();
    expect(server.stored).toEqual(["2", "1"]);
  });

  it("pauses without a credential", async () => {
    const { box, server, write } = outbox();
    server.answer = () => Promise.reject(new ApiError(401, "invalid_token", "no"));
    box.resume();
    write("1");
    await settle();
    expect(server.notes).toEqual(["invalid_token"]);
    server.answer = async () => {};
    await settle();
    expect(server.stored).toEqual([]);
    box.resume();
    await settle();
    expect(server.stored).toEqual(["1"]);
  });

  it("leaves nothing behind when somebody else uses the browser", async () => {
    const { box, server, write, storage } = outbox();
    server.answer = offline;
    box.resume();
    write("1");
    await settle();
    box.clear();
    expect([box.items.length, storage.entries.size]).toEqual([0, 0]);
  });

  it("marks an item as failed that fails while others succeed, and continues with the rest", async () => {
    const { box, server, write, clock } = outbox();
    const tried: string[] = [];
    server.answer = (item) => (tried.push(item.client_id), item.client_id === "1" ? offline() : Promise.resolve());
    server.isStored = async () => false;
    box.resume();
    write("1");
    write("2");
    await clock.pass(5_000);
    expect(tried).toEqual(["1", "1", "1", "1", "2"]);
    expect(box.items.map(({ client_id, state, code }) => [client_id, state, code])).toEqual([["1", "failed", null]]);
    server.answer = async () => {};
    box.retry("1");
    await settle();
    expect(server.stored).toEqual(["2", "1"]);
  });

  it("marks nothing as failed while the server is unreachable", async () => {
    const { box, server, write, clock } = outbox();
    server.answer = offline;
    box.resume();
    write("1");
    await clock.pass(600_000);
    expect(box.items.map(({ state }) => state)).toEqual(["queued"]);
  });

  it("never reports an item as unsent that the server has stored", async () => {
    const { box, server, write, clock, storage } = outbox();
    server.answer = (item) => (item.client_id === "1" ? offline() : Promise.resolve());
    server.isStored = async () => true;
    box.resume();
    write("1");
    write("2");
    await clock.pass(5_000);
    expect([server.stored, box.items, storage.entries.size]).toEqual([["2"], [], 0]);
  });

  it("treats a conflict as an earlier attempt that succeeded", async () => {
    const { box, server } = outbox();
    server.isStored = async () => false;
    server.answer = () => Promise.reject(new ApiError(409, "conflict", "another message has this id"));
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    await settle();
    expect(box.items).toEqual([]);
  });

  it("sends an image smaller before it gives up", async () => {
    const { box, server, clock, storage } = outbox();
    let size = 2;
    server.isStored = async () => false;
    server.answer = () => (size > 1 ? offline() : Promise.resolve());
    server.lighter = async () => (size > 1 ? ((size -= 1), picture("small")) : null);
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    await clock.pass(5_000);
    expect([server.stored, storage.entries.size]).toEqual([["1"], 0]);
  });

  it("sends an image smaller at once when the server says it is too large", async () => {
    const { box, server } = outbox();
    const names: string[] = [];
    server.answer = ({ image }) => (names.push(image!.name), Promise.reject(new ApiError(413, "invalid_request", "status 413")));
    server.lighter = async ({ image }) => (image!.name === "large" ? picture("small") : null);
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    await settle();
    await settle();
    expect(names).toEqual(["large", "small"]);
    expect(box.items.map(({ state, code }) => [state, code])).toEqual([["failed", "image_too_large"]]);
  });

  it("lets texts pass while the server stores no images", async () => {
    const { box, server, write, clock } = outbox();
    server.isStored = async () => false;
    server.answer = ({ image }) => (image ? Promise.reject(new ApiError(503, "storage_full", "no room", 3)) : Promise.resolve());
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    write("2");
    await clock.pass(20_000);
    expect(server.stored).toEqual(["2"]);
    expect(box.items.map(({ state, code }) => [state, code])).toEqual([["failed", "storage_full"]]);
  });

  it("gives up an attempt that makes no progress", async () => {
    const { box, server, write, clock } = outbox();
    let moves = true;
    let tries = 0;
    server.answer = (_, progress) => {
      tries += 1;
      const step = () => {
        if (!moves) return;
        progress(0.5);
        clock.after(10_000, step);
      };
      step();
      return new Promise(() => {});
    };
    box.resume();
    write("1");
    await clock.pass(300_000);
    expect(tries).toBe(1);
    moves = false;
    await clock.pass(120_000);
    expect(tries).toBe(2);
  });

  it("removes an item while the server is being asked whether it has stored it", async () => {
    const { box, server, write } = outbox();
    let answer = (_: boolean) => {};
    server.answer = (item) => (item.client_id === "1" ? offline() : Promise.resolve());
    server.isStored = () => new Promise((resolve) => (answer = resolve));
    box.resume();
    write("1");
    write("2");
    await settle();
    box.remove("1");
    answer(false);
    await settle();
    expect([server.stored, box.items]).toEqual([["2"], []]);
  });
});
