import type { Endpoint } from "./transport.ts";
import { readAnswer, ApiError } from "./api_error.ts";
import type { HistoryForVisitor, MessagePoint, SentToVisitor, Start, VisitorHello, VisitorHint, VisitorState, Welcome, WidgetCommand } from "./wire.ts";

const TIMEOUT_MS = 20_000;

/** The widget API: every request that a visitor's page makes. All changes go to one path, so that a browser sends one CORS preflight. */
export class WidgetApi {
  token: string | null = null;

  constructor(
    readonly origin: string,
    readonly key: string,
    private readonly fetcher: typeof fetch = (...args) => fetch(...args),
  ) {}

  async welcome(locale: string): Promise<Welcome> {
    const query = new URLSearchParams({ key: this.key, lang: locale });
    return readAnswer(await this.fetcher(`${this.origin}/api/widget/welcome?${query}`, { credentials: "omit" }));
  }

  /** While the site is under attack, a new visitor's browser solves a proof of work first. */
  async start(start: Omit<Start, "key">): Promise<VisitorState> {
    const command = { do: "start", key: this.key, ...start } as const;
    try {
      return await this.post(command);
    } catch (error) {
      if (!(error instanceof ApiError && error.detail?.work)) throw error;
      const { solveChallenge } = await import("./proof_of_work.ts");
      return this.post({ ...command, work: await solveChallenge(error.detail.work) });
    }
  }

  send(client_id: string, body: { text: string } | { image: string }, cancelled?: AbortSignal): Promise<SentToVisitor> {
    return this.post({ do: "send", client_id, ...body }, cancelled);
  }

  history(before: MessagePoint): Promise<HistoryForVisitor> {
    return this.post({ do: "history", before });
  }

  logout(): Promise<unknown> {
    return this.post({ do: "logout" });
  }

  /** How a Connection connects as this visitor. */
  endpoint(): Endpoint<VisitorHint> {
    return {
      socketUrl: `${this.origin.replace(/^http/, "ws")}/api/widget/socket`,
      streamUrl: `${this.origin}/api/widget/stream`,
      hello: (cursor) => JSON.stringify({ type: "hello", token: this.token ?? "", cursor } satisfies VisitorHello),
      streamHeaders: () => this.authorization(),
      credentials: "omit",
      postHint: (hint) => this.post({ do: "hint", hint }),
    };
  }

  authorization(): Record<string, string> {
    return this.token === null ? {} : { Authorization: `Bearer ${this.token}` };
  }

  private async post<T>(command: WidgetCommand, cancelled?: AbortSignal): Promise<T> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS);
    const cancel = () => timeout.abort();
    cancelled?.addEventListener("abort", cancel);
    try {
      const response = await this.fetcher(`${this.origin}/api/widget`, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...this.authorization() },
        credentials: "omit",
        body: JSON.stringify(command),
        signal: timeout.signal,
        keepalive: command.do === "logout",
      });
      return await readAnswer<T>(response);
    } finally {
      clearTimeout(timer);
      cancelled?.removeEventListener("abort", cancel);
    }
  }
}
