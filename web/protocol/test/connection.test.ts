import { describe, expect, it } from "vitest";
import { Connection, type ConnectionState } from "../src/connection.ts";
import { openStream } from "../src/stream.ts";
import type { VisitorEvent, VisitorHint, VisitorSignal } from "../src/wire.ts";
import { Clock, settle } from "./clock.ts";
import { FakeServer } from "./fake_server.ts";

const seen = (seq: number): VisitorEvent => ({ kind: "seen", conversation: "c", by: "agent", seq });

function connect(server: FakeServer, clock = new Clock()) {
  const received: number[] = [];
  const states: ConnectionState[] = [];
  const notes: string[] = [];
  const posted: VisitorHint[] = [];
  const wake = new EventTarget();
  const connection = new Connection<VisitorEvent, VisitorSignal, VisitorHint>(
    {
      socketUrl: "ws://x/socket", streamUrl: "http://x/stream", credentials: "omit",
      hello: (cursor) => JSON.stringify({ type: "hello", token: "t", cursor }),
      streamHeaders: () => ({ Authorization: "Bearer t" }),
      postHint: async (hint) => posted.push(hint),
    },
    {
      event: (event) => event.kind === "seen" && received.push(event.seq),
      signal: (signal) => notes.push(signal.kind),
      live: () => notes.push("live"),
      resync: () => notes.push("resync"),
      refused: (code) => notes.push(`refused ${code}`),
      changed: (state) => states.push(state),
    },
    { timers: clock, fetch: server.fetch as typeof fetch, socket: server.socket, stream: openStream, wake: [wake] },
  );
  return { connection, received, states, notes, posted, wake, clock };
}

describe("a connection", () => {
  it("delivers missed events, then live ones", async () => {
    const server = new FakeServer();
    server.publish(seen(1));
    server.publish(seen(2));
    const { connection, received } = connect(server);
    connection.start("1");
    await settle();
    server.publish(seen(3));
    expect(received).toEqual([2, 3]);
    expect(connection.cursor).toBe("3");
  });

  it("loses and repeats no event over twenty cut connections", async () => {
    const server = new FakeServer();
    const { connection, received, clock } = connect(server);
    connection.start("0");
    for (let seq = 1; seq <= 60; seq += 1) {
      if (seq % 3 === 0) server.cut();
      server.publish(seen(seq));
      await clock.pass(200);
    }
    await clock.pass(60_000);
    expect(received).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
  });

  it("does not advance its cursor to that of a welcome, whose events are still to come", async () => {
    const server = new FakeServer();
    server.publish(seen(1));
    server.accept = (cursor, send) => {
      server.hellos.push(cursor);
      send({ type: "welcome", cursor: "1", beat_s: 20 });
    };
    const { connection, clock } = connect(server);
    connection.start("0");
    await settle();
    server.cut();
    await clock.pass(1_000);
    expect(server.hellos.slice(0, 2)).toEqual(["0", "0"]);
  });

  it("falls back to a stream within five seconds where sockets are refused", async () => {
    const server = new FakeServer();
    server.sockets = "refused";
    const { connection, posted, clock } = connect(server, new Clock(0.99));
    connection.start("0");
    await clock.pass(5_000);
    expect([connection.state, connection.transportKind]).toEqual(["live", "stream"]);
    connection.hint({ type: "typing" });
    expect(posted).toEqual([{ type: "typing" }]);
  });

  it("falls back to a stream within five seconds where sockets open and stay silent", async () => {
    const server = new FakeServer();
    server.sockets = "silent";
    const { connection, clock } = connect(server);
    connection.start("0");
    await clock.pass(3_900);
    expect(connection.state).toBe("connecting");
    await clock.pass(1_100);
    expect([connection.state, connection.transportKind]).toEqual(["live", "stream"]);
  });

  it("returns to sockets later", async () => {
    const server = new FakeServer();
    server.sockets = "silent";
    const { connection, clock } = connect(server);
    connection.start("0");
    await clock.pass(5_000);
    server.sockets = "fine";
    for (let minute = 0; minute < 6; minute += 1) {
      for (let heartbeat = 0; heartbeat < 3; heartbeat += 1) {
        await clock.pass(20_000);
        server.broadcast({ type: "beat", cursor: "0" });
      }
    }
    expect([connection.state, connection.transportKind]).toEqual(["live", "socket"]);
  });

  it.each(["online", "visibilitychange", "answered"])("retries at once after an event that suggests the server is reachable: %s", async (type) => {
    const server = new FakeServer();
    const { connection, clock, wake } = connect(server, new Clock(0.99));
    connection.start("0");
    await settle();
    server.sockets = server.streams = "refused";
    server.cut();
    await clock.pass(20_000);
    server.sockets = server.streams = "fine";
    await clock.pass(1);
    expect(connection.state).toBe("waiting");
    wake.dispatchEvent(new Event(type));
    await settle();
    expect(connection.state).toBe("live");
  });

  it("stays away for as long as the server asks, even when requests succeed meanwhile", async () => {
    const server = new FakeServer();
    const { connection, clock, wake } = connect(server);
    connection.start("0");
    await settle();
    server.broadcast({ type: "bye", reason: "too_many", retry_after_ms: 8_000 });
    wake.dispatchEvent(new Event("answered"));
    await clock.pass(7_000);
    expect(connection.state).toBe("waiting");
    await clock.pass(1_000);
    expect(connection.state).toBe("live");
  });

  it("responses heartbeats and advances its cursor with them", async () => {
    const server = new FakeServer();
    const { connection } = connect(server);
    connection.start("0");
    await settle();
    server.broadcast({ type: "beat", cursor: "9" });
    expect(server.received.at(-1)).toEqual({ type: "alive" });
    expect(connection.cursor).toBe("9");
  });

  it("drops a connection that is silent for two and a half heartbeats", async () => {
    const server = new FakeServer();
    const { connection, states, clock } = connect(server);
    connection.start("0");
    await clock.pass(49_000);
    expect(connection.state).toBe("live");
    await clock.pass(2_000);
    expect(states).toContain("waiting");
    expect(server.hellos.length).toBe(2);
  });

  it("waits for as long as a bye asks", async () => {
    const server = new FakeServer();
    const { connection, clock } = connect(server);
    connection.start("0");
    await settle();
    server.broadcast({ type: "bye", reason: "restart", retry_after_ms: 3_000 });
    server.cut();
    await clock.pass(2_900);
    expect(connection.state).toBe("waiting");
    await clock.pass(200);
    expect(connection.state).toBe("live");
  });

  it("backs off up to thirty seconds, and resets after a stable half minute", async () => {
    const server = new FakeServer();
    server.sockets = "refused";
    server.streams = "refused";
    const { connection, clock } = connect(server, new Clock(0.999));
    connection.start("0");
    await clock.pass(600_000);
    server.sockets = "fine";
    await clock.pass(31_000);
    expect(connection.state).toBe("live");
    server.heartbeatS = 20;
    server.cut();
    await clock.pass(31_000);
    expect(connection.state).toBe("live");
    await clock.pass(31_000);
    server.cut();
    await clock.pass(1_000);
    expect(connection.state).toBe("live");
  });

  it("retries at once when the network comes back", async () => {
    const server = new FakeServer();
    server.sockets = "refused";
    server.streams = "refused";
    const { connection, wake, clock } = connect(server, new Clock(0.999));
    connection.start("0");
    await clock.pass(120_000);
    while (connection.state !== "waiting") await clock.pass(100);
    server.sockets = server.streams = "fine";
    wake.dispatchEvent(new Event("online"));
    await settle();
    expect(connection.state).toBe("live");
  });

  it("stops at a refusal and at a resync", async () => {
    const server = new FakeServer();
    const { connection, notes, clock } = connect(server);
    connection.start("0");
    await settle();
    server.broadcast({ type: "resync", reason: "old" });
    expect([connection.state, notes.at(-1)]).toEqual(["stopped", "resync"]);
    connection.start("0");
    await settle();
    server.cut(4401);
    await clock.pass(60_000);
    expect([connection.state, notes.at(-1)]).toEqual(["refused", "refused invalid_token"]);
  });
});
