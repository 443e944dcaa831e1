import type { VisitorEvent, VisitorFrame } from "../src/wire.ts";

type ClientFrame = { type: string; [field: string]: unknown };

/** A server with one visitor: keeps an event log and sends it over sockets or streams. */
export class FakeServer {
  /** "silent": a proxy that accepts connections and swallows frames. */
  sockets: "fine" | "refused" | "silent" = "fine";
  streams: "fine" | "refused" = "fine";
  heartbeatS = 20;
  readonly log: VisitorEvent[] = [];
  readonly received: ClientFrame[] = [];
  readonly hellos: string[] = [];
  readonly connections = new Set<(frame: VisitorFrame) => void>();
  #open = new Set<FakeSocket>();
  #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();

  publish(event: VisitorEvent): void {
    this.log.push(event);
    for (const connection of this.connections) connection({ type: "event", cursor: String(this.log.length), event });
  }

  broadcast(frame: VisitorFrame): void {
    for (const connection of this.connections) connection(frame);
  }

  cut(code = 1006): void {
    this.connections.clear();
    for (const socket of this.#open) socket.end(code);
    this.#open.clear();
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  accept(cursor: string, connection: (frame: VisitorFrame) => void): void {
    this.hellos.push(cursor);
    connection({ type: "welcome", cursor: String(this.log.length), beat_s: this.heartbeatS });
    this.log.slice(Number(cursor)).forEach((event, index) => connection({ type: "event", cursor: String(Number(cursor) + index + 1), event }));
    this.connections.add(connection);
  }

  readonly socket = (): WebSocket => {
    const socket = new FakeSocket(this);
    if (this.sockets === "refused") queueMicrotask(() => socket.end(1006));
    else {
      this.#open.add(socket);
      queueMicrotask(() => socket.open());
    }
    return socket as unknown as WebSocket;
  };

  readonly fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    if (this.streams === "refused") throw new TypeError("network");
    const cursor = new Headers(init?.headers).get("last-event-id") ?? "";
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#streams.add(controller);
        const connection = (frame: VisitorFrame) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(frame)}\n\n`));
        this.accept(cursor, connection);
        init?.signal?.addEventListener("abort", () => {
          this.#streams.delete(controller);
          this.connections.delete(connection);
        });
      },
    });
    return new Response(body, { status: 200 });
  };
}

class FakeSocket {
  readyState = 0;
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  #connection = (frame: VisitorFrame) => this.onmessage?.({ data: JSON.stringify(frame) });

  constructor(private readonly server: FakeServer) {}

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  send(text: string): void {
    const frame = JSON.parse(text) as ClientFrame;
    this.server.received.push(frame);
    if (frame.type === "hello" && this.server.sockets === "fine") this.server.accept(String(frame["cursor"]), this.#connection);
  }

  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.server.connections.delete(this.#connection);
    this.onclose?.({ code });
  }

  close(): void {
    this.end(1000);
  }
}
