import type { Timers } from "./timers.ts";

/** Dispatches `answered` after each successful request: a CustomEvent, because MooTools replaces `Event`. */
export const responses = new EventTarget();
export const reportResponse = () => responses.dispatchEvent(new CustomEvent("answered"));

/** Events that suggest the server is reachable again: the network, the page or a request came back. */
const WAKE_EVENTS = ["online", "pageshow", "resume", "visibilitychange", "answered"];

/** Calls `woken` with the type of each such event on one of the targets. Returns a function that removes the listeners. */
export function onWake(targets: readonly EventTarget[], woken: (sign: string) => void): () => void {
  const listener = ({ type }: Event) => woken(type);
  const each = (method: "addEventListener" | "removeEventListener") => targets.forEach((target) => WAKE_EVENTS.forEach((type) => target[method](type, listener)));
  each("addEventListener");
  return () => each("removeEventListener");
}

/** The shortest delay before a retry, in milliseconds: a request that keeps failing while others succeed is not repeated without a pause. */
const MIN_DELAY_MS = 1_000;

/** Calls `run` once: after `ms`, or at the first wake event, but no sooner than a second from now. Returns a function that cancels it. */
export function scheduleRetry(timers: Timers, ms: number, targets: readonly EventTarget[], run: () => void): () => void {
  const cancel = () => {
    cancelTimer();
    unwatch();
  };
  const once = () => {
    cancel();
    run();
  };
  const until = timers.now() + Math.min(ms, MIN_DELAY_MS);
  let cancelTimer = timers.after(ms, once);
  const unwatch = onWake(targets, () => {
    cancelTimer();
    cancelTimer = timers.after(Math.max(0, until - timers.now()), once);
  });
  return cancel;
}
