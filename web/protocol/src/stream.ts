import type { Endpoint, Transport, TransportEvents } from "./transport.ts";
import { apiErrorFrom } from "./api_error.ts";
import { SseParser } from "./sse_parser.ts";

/** The server-sent stream, with the same frames, for networks that block sockets. Read with fetch, so that the credential stays in a header. */
export function openStream<H>(endpoint: Endpoint<H>, cursor: string, events: TransportEvents, fetcher: typeof fetch): Transport<H> {
  const abort = new AbortController();

  const read = async () => {
    const response = await fetcher(endpoint.streamUrl, {
      headers: { Accept: "text/event-stream", "Last-Event-ID": cursor, ...endpoint.streamHeaders() },
      credentials: endpoint.credentials,
      cache: "no-store",
      signal: abort.signal,
    });
    if (response.status === 401 || response.status === 403) {
      const { code, message } = apiErrorFrom(response.status, await response.text(), null);
      return events.frame({ type: "refused", code, message } as { type: string });
    }
    if (!response.ok || response.body === null) return;
    const parser = new SseParser();
    const text = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const payload of parser.push(text.decode(value, { stream: true }))) {
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
      // A lost hint does no harm: later hints repeat its state.
      endpoint.postHint(hint).catch(() => {});
    },
    close: () => abort.abort(),
  };
}
