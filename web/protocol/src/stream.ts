import type { Door, Line, LineEvents } from "./line.ts";
import { refusalFrom } from "./refusal.ts";
import { ServerSentLines } from "./server_sent.ts";

/** The same frames where sockets are blocked. Read with fetch, so that the credential stays in a header. */
export function openStream<H>(door: Door<H>, cursor: string, events: LineEvents, fetcher: typeof fetch): Line<H> {
  const abort = new AbortController();

  const read = async () => {
    const response = await fetcher(door.streamUrl, {
      headers: { Accept: "text/event-stream", "Last-Event-ID": cursor, ...door.streamHeaders() },
      credentials: door.credentials,
      cache: "no-store",
      signal: abort.signal,
    });
    if (response.status === 401 || response.status === 403) {
      const { code, message } = refusalFrom(response.status, await response.text(), null);
      return events.frame({ type: "refused", code, message } as { type: string });
    }
    if (!response.ok || response.body === null) return;
    const lines = new ServerSentLines();
    const text = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const payload of lines.push(text.decode(value, { stream: true }))) {
        if (abort.signal.aborted) return;
        events.frame(JSON.parse(payload));
      }
    }
  };

  read()
    .catch(() => {})
    .then(() => {
      if (!abort.signal.aborted) events.closed(0);
    });

  return {
    send(hint) {
      // A lost hint is repeated by what comes after it.
      door.postHint(hint).catch(() => {});
    },
    close: () => abort.abort(),
  };
}
