import type { Door, Line, LineEvents } from "./line.ts";

export type MakeSocket = (url: string) => WebSocket;

export function openSocket<H>(door: Door<H>, cursor: string, events: LineEvents, make: MakeSocket): Line<H> {
  let ended = false;
  let socket: WebSocket | null = null;

  const end = (code: number) => {
    if (ended) return;
    ended = true;
    socket?.close();
    events.closed(code);
  };

  try {
    socket = make(door.socketUrl);
  } catch {
    // A policy of the page may forbid the address at once.
    queueMicrotask(() => end(0));
    return { send() {}, close() { ended = true; } };
  }

  const open = socket;
  open.onopen = async () => {
    try {
      const hello = await door.hello(cursor);
      if (!ended) open.send(hello);
    } catch {
      end(0);
    }
  };
  open.onmessage = ({ data }) => {
    if (ended || typeof data !== "string") return;
    events.frame(JSON.parse(data));
  };
  open.onclose = ({ code }) => end(code);
  open.onerror = () => end(0);

  return {
    send(hint) {
      if (!ended && open.readyState === 1) open.send(JSON.stringify(hint));
    },
    close() {
      ended = true;
      open.close();
    },
  };
}
