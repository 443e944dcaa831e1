import { reportResponse } from "./wake.ts";
import type { ErrorBody, ErrorCode } from "./wire.ts";

/** The server answered with an error status. Network failures remain the TypeError that fetch throws. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    /** Seconds to wait before the next attempt, if the server gave a number. */
    readonly retryAfterS: number | null = null,
    readonly detail: ErrorBody["error"] | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** Builds the error from a response that was not ok. An error page of a proxy becomes "unavailable" or "invalid_request". */
export function apiErrorFrom(status: number, body: string, retryAfter: string | null): ApiError {
  const header = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  try {
    const { error } = JSON.parse(body) as ErrorBody;
    return new ApiError(status, error.code, error.message, error.retry_after_s ?? header, error);
  } catch {
    return new ApiError(status, status < 500 ? "invalid_request" : "unavailable", `status ${status}`, header);
  }
}

/** Parses the JSON of a successful response; throws a Refusal for any other. */
export async function readAnswer<T>(response: Response): Promise<T> {
  if (response.ok) {
    const answer = (await response.json()) as T;
    reportResponse();
    return answer;
  }
  throw apiErrorFrom(response.status, await response.text().catch(() => ""), response.headers.get("retry-after"));
}
