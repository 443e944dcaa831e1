import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Leader } from "../src/leader.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A tab without Web Locks, which leads from the start. */
function tab() {
  const page = new EventTarget();
  const did: string[] = [];
  const note = (what: string) => () => void did.push(what);
  const leader = new Leader("x", { locks: undefined, channel: undefined, page, leaves: "beforeunload" }, { lead: note("lead"), yieldLead: note("yield"), missed: note("missed"), post() {} });
  leader.start();
  return { page, did, leader };
}

it("a page that is left lets go, and takes part again when it is shown", () => {
  const { page, did } = tab();
  page.dispatchEvent(new Event("pageshow"));
  page.dispatchEvent(new Event("beforeunload"));
  expect(did).toEqual(["lead", "yield"]);
  page.dispatchEvent(new Event("pageshow"));
  vi.advanceTimersByTime(60_000);
  expect(did).toEqual(["lead", "yield", "missed", "lead"]);
});

it("a page that was to be left and is still there takes part again", () => {
  const { page, did } = tab();
  page.dispatchEvent(new Event("beforeunload"));
  page.dispatchEvent(new Event("beforeunload"));
  vi.advanceTimersByTime(2_999);
  expect(did).toEqual(["lead", "yield"]);
  vi.advanceTimersByTime(1);
  expect(did).toEqual(["lead", "yield", "missed", "lead"]);
});

it("what was stopped while the page is left stays stopped", () => {
  const { page, did, leader } = tab();
  page.dispatchEvent(new Event("beforeunload"));
  leader.stop();
  page.dispatchEvent(new Event("pageshow"));
  vi.advanceTimersByTime(60_000);
  expect(did).toEqual(["lead", "yield"]);
});
