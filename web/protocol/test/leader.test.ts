import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Leader } from "../src/leader.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A tab without Web Locks, which leads from the start. */
function tab() {
  const page = new EventTarget();
  const calls: string[] = [];
  const note = (what: string) => () => void calls.push(what);
  const leader = new Leader("x", { locks: undefined, channel: undefined, page, leaves: "beforeunload" }, { onLead: note("lead"), onYield: note("yield"), onMissed: note("missed"), message() {} });
  leader.start();
  return { page, calls, leader };
}

it("a page that is left lets go, and takes part again when it is shown", () => {
  const { page, calls } = tab();
  page.dispatchEvent(new Event("pageshow"));
  page.dispatchEvent(new Event("beforeunload"));
  expect(calls).toEqual(["lead", "yield"]);
  page.dispatchEvent(new Event("pageshow"));
  vi.advanceTimersByTime(60_000);
  expect(calls).toEqual(["lead", "yield", "missed", "lead"]);
});

it("a page that was to be left and is still there takes part again", () => {
  const { page, calls } = tab();
  page.dispatchEvent(new Event("beforeunload"));
  page.dispatchEvent(new Event("beforeunload"));
  vi.advanceTimersByTime(2_999);
  expect(calls).toEqual(["lead", "yield"]);
  vi.advanceTimersByTime(1);
  expect(calls).toEqual(["lead", "yield", "missed", "lead"]);
});

it("what was stopped while the page is left stays stopped", () => {
  const { page, calls, leader } = tab();
  page.dispatchEvent(new Event("beforeunload"));
  leader.stop();
  page.dispatchEvent(new Event("pageshow"));
  vi.advanceTimersByTime(60_000);
  expect(calls).toEqual(["lead", "yield"]);
});
