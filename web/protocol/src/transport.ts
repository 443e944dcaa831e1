/** One open connection to the server, a socket or a stream. It reports each frame as it arrives, and its own end exactly once. */
export type Transport<H> = { send(hint: H): void; close(): void };

export type TransportEvents = {
  frame(frame: { type: string }): void;
  /** The transport ended: a WebSocket close code, or 0 where there is none. */
  closed(code: number): void;
};

/** How to connect as a visitor or as an operator; the two differ only in this. */
export type Endpoint<H> = {
  socketUrl: string;
  streamUrl: string;
  /** The first frame that the client sends, as text. May fetch a one-time ticket first. */
  hello(cursor: string): string | Promise<string>;
  streamHeaders(): Record<string, string>;
  credentials: RequestCredentials;
  /** Sends a hint by HTTP, while only the stream is open. */
  postHint(hint: H): Promise<unknown>;
};
