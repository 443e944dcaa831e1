import { describe, expect, it } from "vitest";
import { Outbox, type OutboxItem } from "../src/outbox.ts";
import { storageOutboxStore } from "../src/outbox_store.ts";
import { Refusal } from "../src/refusal.ts";
import { Clock, settle } from "./clock.ts";

class Shelf implements Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  readonly held = new Map<string, string>();
  getItem = (name: string) => this.held.get(name) ?? null;
  setItem = (name: string, value: string) => void this.held.set(name, value);
  removeItem = (name: string) => void this.held.delete(name);
}

function outbox(shelf = new Shelf(), clock = new Clock()) {
  const server = {
    got: [] as string[],
    answer: async (_: OutboxItem, _progress: (part: number) => void): Promise<void> => {},
    notes: [] as string[],
    /** The answer to whether it holds an item. */
    holds: async (_: OutboxItem): Promise<boolean> => Promise.reject(new TypeError("network")),
    lighter: async (_: OutboxItem): Promise<OutboxItem["image"]> => null,
  };
  const box = new Outbox(
    storageOutboxStore(shelf as unknown as Storage, "out"),
    {
      async deliver(item, cancelled, progress) {
        await server.answer(item, progress);
        if (!cancelled.aborted) server.got.push(item.client_id);
      },
      holds: (item) => server.holds(item),
      lighten: (item) => server.lighter(item),
      changed() {},
      unauthorised: (code) => server.notes.push(code),
    },
    clock,
  );
  box.load();
  const write = (id: string, lane = "a") => box.add({ client_id: id, lane, text: id, image: null });
  return { box, server, write, clock, shelf };
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
    expect(server.got).toEqual(["1", "2"]);
    expect(box.items).toEqual([]);
  });

  it("keeps lanes apart", async () => {
    const { box, server, write } = outbox();
    server.answer = (item) => (item.lane === "a" ? new Promise(() => {}) : Promise.resolve());
    box.resume();
    write("1");
    write("2", "b");
    await settle();
    expect(server.got).toEqual(["2"]);
  });

  it("survives a reload and sends once, in order", async () => {
    const { server, write, box, shelf } = outbox();
    server.answer = offline;
    box.resume();
    for (const id of ["1", "2", "3"]) write(id);
    await settle();
    box.stop();
    const later = outbox(shelf);
    later.box.resume();
    await settle();
    expect(later.server.got).toEqual(["1", "2", "3"]);
    expect(shelf.held.size).toBe(0);
  });

  it("tries again under the same id", async () => {
    const { box, server, write, clock } = outbox();
    const tried: string[] = [];
    server.answer = (item) => (tried.push(item.client_id), tried.length < 4 ? offline() : Promise.resolve());
    box.resume();
    write("1");
    await clock.pass(60_000);
    expect(tried).toEqual(["1", "1", "1", "1"]);
    expect(server.got).toEqual(["1"]);
  });

  it("holds everything while the limit says so, then goes on", async () => {
    const { box, server, write, clock } = outbox();
    let limited = true;
    server.answer = () => (limited ? Promise.reject(new Refusal(429, "sending_too_frequently", "sending too frequently", 5)) : Promise.resolve());
    box.resume();
    write("1");
    write("2");
    await settle();
    expect(box.heldUntil).toBe(clock.now() + 5_000);
    limited = false;
    await clock.pass(4_900);
    expect(server.got).toEqual([]);
    await clock.pass(200);
    expect(server.got).toEqual(["1", "2"]);
  });

  it("puts what can never be sent aside, and goes on with the rest", async () => {
    const { box, server, write } = outbox();
    server.answer = (item) => (item.client_id === "1" ? Promise.reject(new Refusal(413, "text_too_long", "too long")) : Promise.resolve());
    box.resume();
    write("1");
    write("2");
    await settle();
    expect(server.got).toEqual(["2"]);
    expect(box.items.map(({ state, code }) => [state, code])).toEqual([["failed", "text_too_long"]]);
    server.answer = async () => {};
    box.retry("1");
    await settle();
    expect(server.got).toEqual(["2", "1"]);
  });

  it("stands still without a credential", async () => {
    const { box, server, write } = outbox();
    server.answer = () => Promise.reject(new Refusal(401, "invalid_token", "no"));
    box.resume();
    write("1");
    await settle();
    expect(server.notes).toEqual(["invalid_token"]);
    server.answer = async () => {};
    await settle();
    expect(server.got).toEqual([]);
    box.resume();
    await settle();
    expect(server.got).toEqual(["1"]);
  });

  it("leaves nothing behind when another person comes", async () => {
    const { box, server, write, shelf } = outbox();
    server.answer = offline;
    box.resume();
    write("1");
    await settle();
    box.clear();
    expect([box.items.length, shelf.held.size]).toEqual([0, 0]);
  });

  it("sets aside what fails alone, and goes on with the rest", async () => {
    const { box, server, write, clock } = outbox();
    const tried: string[] = [];
    server.answer = (item) => (tried.push(item.client_id), item.client_id === "1" ? offline() : Promise.resolve());
    server.holds = async () => false;
    box.resume();
    write("1");
    write("2");
    await clock.pass(5_000);
    expect(tried).toEqual(["1", "1", "1", "1", "2"]);
    expect(box.items.map(({ client_id, state, code }) => [client_id, state, code])).toEqual([["1", "failed", null]]);
    server.answer = async () => {};
    box.retry("1");
    await settle();
    expect(server.got).toEqual(["2", "1"]);
  });

  it("sets nothing aside while nobody answers", async () => {
    const { box, server, write, clock } = outbox();
    server.answer = offline;
    box.resume();
    write("1");
    await clock.pass(600_000);
    expect(box.items.map(({ state }) => state)).toEqual(["queued"]);
  });

  it("calls nothing unsent that the server holds", async () => {
    const { box, server, write, clock, shelf } = outbox();
    server.answer = (item) => (item.client_id === "1" ? offline() : Promise.resolve());
    server.holds = async () => true;
    box.resume();
    write("1");
    write("2");
    await clock.pass(5_000);
    expect([server.got, box.items, shelf.held.size]).toEqual([["2"], [], 0]);
  });

  it("takes a conflict for an earlier try that arrived", async () => {
    const { box, server } = outbox();
    server.holds = async () => false;
    server.answer = () => Promise.reject(new Refusal(409, "conflict", "another message has this id"));
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    await settle();
    expect(box.items).toEqual([]);
  });

  it("sends a picture in smaller before it gives up", async () => {
    const { box, server, clock, shelf } = outbox();
    let size = 2;
    server.holds = async () => false;
    server.answer = () => (size > 1 ? offline() : Promise.resolve());
    server.lighter = async () => (size > 1 ? ((size -= 1), picture("small")) : null);
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    await clock.pass(5_000);
    expect([server.got, shelf.held.size]).toEqual([["1"], 0]);
  });

  it("sends a picture in smaller at once where it was said to be too large", async () => {
    const { box, server } = outbox();
    const names: string[] = [];
    server.answer = ({ image }) => (names.push(image!.name), Promise.reject(new Refusal(413, "invalid_request", "status 413")));
    server.lighter = async ({ image }) => (image!.name === "large" ? picture("small") : null);
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    await settle();
    await settle();
    expect(names).toEqual(["large", "small"]);
    expect(box.items.map(({ state, code }) => [state, code])).toEqual([["failed", "image_too_large"]]);
  });

  it("lets texts pass where a server takes no pictures", async () => {
    const { box, server, write, clock } = outbox();
    server.holds = async () => false;
    server.answer = ({ image }) => (image ? Promise.reject(new Refusal(503, "storage_full", "no room", 3)) : Promise.resolve());
    box.resume();
    box.add({ client_id: "1", lane: "a", text: "", image: picture("large") });
    write("2");
    await clock.pass(20_000);
    expect(server.got).toEqual(["2"]);
    expect(box.items.map(({ state, code }) => [state, code])).toEqual([["failed", "storage_full"]]);
  });

  it("gives up a try in which nothing moves", async () => {
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

  it("deletes an item while the server is asked for it", async () => {
    const { box, server, write } = outbox();
    let answer = (_: boolean) => {};
    server.answer = (item) => (item.client_id === "1" ? offline() : Promise.resolve());
    server.holds = () => new Promise((resolve) => (answer = resolve));
    box.resume();
    write("1");
    write("2");
    await settle();
    box.remove("1");
    answer(false);
    await settle();
    expect([server.got, box.items]).toEqual([["2"], []]);
  });
});
