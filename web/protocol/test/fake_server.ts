import type { VisitorEvent, VisitorFrame } from "../src/wire.ts";

type Heard = { type: string; [field: string]: unknown };

/** A server of one visitor: keeps an event log and speaks it over sockets or streams. */
export class FakeServer {
  /** "silent": a proxy that accepts and swallows. */
  sockets: "fine" | "refused" | "silent" = "fine";
  streams: "fine" | "refused" = "fine";
  beatS = 20;
  readonly log: VisitorEvent[] = [];
  readonly heard: Heard[] = [];
  readonly hellos: string[] = [];
  readonly lines = new Set<(frame: VisitorFrame) => void>();
  #open = new Set<FakeSocket>();
  #streams = new Set<ReadableStreamDefaultController<Uint8Array>>();

  happen(event: VisitorEvent): void {
    this.log.push(event);
    for (const line of this.lines) line({ type: "event", cursor: String(this.log.length), event });
  }

  say(frame: VisitorFrame): void {
    for (const line of this.lines) line(frame);
  }

  cut(code = 1006): void {
    this.lines.clear();
    for (const socket of this.#open) socket.end(code);
    this.#open.clear();
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  join(cursor: string, line: (frame: VisitorFrame) => void): void {
    this.hellos.push(cursor);
    line({ type: "welcome", cursor: String(this.log.length), beat_s: this.beatS });
    this.log.slice(Number(cursor)).forEach((event, index) => line({ type: "event", cursor: String(Number(cursor) + index + 1), event }));
    this.lines.add(line);
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
        const line = (frame: VisitorFrame) => controller.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(frame)}\n\n`));
        this.join(cursor, line);
        init?.signal?.addEventListener("abort", () => {
          this.#streams.delete(controller);
          this.lines.delete(line);
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
  #line = (frame: VisitorFrame) => this.onmessage?.({ data: JSON.stringify(frame) });

  constructor(private readonly server: FakeServer) {}

  open(): void {
    this.readyState = 1;
    this.onopen?.();
  }

  send(text: string): void {
    const frame = JSON.parse(text) as Heard;
    this.server.heard.push(frame);
    if (frame.type === "hello" && this.server.sockets === "fine") this.server.join(String(frame["cursor"]), this.#line);
  }

  end(code: number): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.server.lines.delete(this.#line);
    this.onclose?.({ code });
  }

  close(): void {
    this.end(1000);
  }
}
