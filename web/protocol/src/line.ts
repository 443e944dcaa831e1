/** One open way down (and, on a socket, up). It reports frames as they come and its own end exactly once. */
export type Line<H> = { send(hint: H): void; close(): void };

export type LineEvents = {
  frame(frame: { type: string }): void;
  /** A WebSocket close code, or 0 where there is none. */
  closed(code: number): void;
};

/** How one audience is reached: visitors and operators differ only in this. */
export type Door<H> = {
  socketUrl: string;
  streamUrl: string;
  /** The first frame up, as text. May fetch a one-time ticket first. */
  hello(cursor: string): string | Promise<string>;
  streamHeaders(): Record<string, string>;
  credentials: RequestCredentials;
  /** Carries hints while only the stream is open. */
  postHint(hint: H): Promise<unknown>;
};
