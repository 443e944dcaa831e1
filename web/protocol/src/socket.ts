import type { Endpoint, Transport, TransportEvents } from "./transport.ts";

export type MakeSocket = (url: string) => WebSocket;

/** The WebSocket transport. */
export function openSocket<H>(endpoint: Endpoint<H>, cursor: string, events: TransportEvents, createSocket: MakeSocket): Transport<H> {
  let ended = false;
  let socket: WebSocket | null = null;

  const end = (code: number) => {
    if (ended) return;
    ended = true;
    socket?.close();
    events.closed(code);
  };

  try {
    socket = createSocket(endpoint.socketUrl);
  } catch {
    // The page's Content-Security-Policy may forbid the URL at once.
    queueMicrotask(() => end(0));
    return { send() {}, close() { ended = true; } };
  }

  const open = socket;
  open.onopen = async () => {
    try {
      const hello = await endpoint.hello(cursor);
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
