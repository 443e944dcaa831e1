import { answered } from "./wake.ts";
import type { ErrorBody, ErrorCode } from "./wire.ts";

/** The server answered, and the answer was no. Network failures stay the TypeError that fetch throws. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    /** Seconds to wait before asking again, where the server said so. */
    readonly retryAfterS: number | null = null,
    readonly detail: ErrorBody["error"] | null = null,
  ) {
    super(message);
    this.name = "Refusal";
  }
}

/** Reads the body of an answer that was not ok. A proxy's own page counts as "unavailable". */
export function refusalFrom(status: number, body: string, retryAfter: string | null): Refusal {
  const header = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  try {
    const { error } = JSON.parse(body) as ErrorBody;
    return new Refusal(status, error.code, error.message, error.retry_after_s ?? header, error);
  } catch {
    return new Refusal(status, status < 500 ? "invalid_request" : "unavailable", `status ${status}`, header);
  }
}

export async function readAnswer<T>(response: Response): Promise<T> {
  if (response.ok) {
    const answer = (await response.json()) as T;
    answered();
    return answer;
  }
  throw refusalFrom(response.status, await response.text().catch(() => ""), response.headers.get("retry-after"));
}
