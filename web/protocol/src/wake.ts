import type { Timers } from "./timers.ts";

/** Dispatches `answered` (a CustomEvent: MooTools puts an Event of its own in place) after each request that the server answered well. */
export const answers = new EventTarget();
export const answered = () => answers.dispatchEvent(new CustomEvent("answered"));

/** Signs that the server may be reached: the network, the page, or a request came back. */
const SIGNS = ["online", "pageshow", "resume", "visibilitychange", "answered"];

/** Calls `woken` at each sign that one of the targets hears. The answer ends it. */
export function onWake(targets: readonly EventTarget[], woken: (sign: string) => void): () => void {
  const heard = ({ type }: Event) => woken(type);
  const each = (what: "addEventListener" | "removeEventListener") => targets.forEach((target) => SIGNS.forEach((sign) => target[what](sign, heard)));
  each("addEventListener");
  return () => each("removeEventListener");
}

/** A sign ends a wait no earlier: what fails again and again beside answered requests is not asked for without a pause. */
const SOON_MS = 1_000;

/** Runs once: after `ms`, or at the first sign, a second after the call at the earliest. The answer cancels it. */
export function tryAgain(timers: Timers, ms: number, targets: readonly EventTarget[], run: () => void): () => void {
  const cancel = () => {
    cancelTimer();
    unwatch();
  };
  const once = () => {
    cancel();
    run();
  };
  const until = timers.now() + Math.min(ms, SOON_MS);
  let cancelTimer = timers.after(ms, once);
  const unwatch = onWake(targets, () => {
    cancelTimer();
    cancelTimer = timers.after(Math.max(0, until - timers.now()), once);
  });
  return cancel;
}
