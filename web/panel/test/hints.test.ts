import { describe, expect, it, vi } from "vitest";
import { Conversations } from "../src/talk/session/conversations.ts";
import { Hints, type VisitorConnection } from "../src/talk/session/hints.ts";

function typist(state: VisitorConnection["state"]) {
  vi.useFakeTimers({ now: 1_000_000 });
  const hints = new Hints(new Conversations());
  const told: unknown[] = [];
  // As the true one does: what it is given while there is no line is gone.
  const line = { state, tell: () => {}, hint: (hint: unknown) => void (line.state === "live" && told.push(hint)) };
  hints.connection = line as unknown as VisitorConnection;
  return { hints, line, told };
}

describe("typing", () => {
  it("is told once in three seconds", () => {
    const { hints, told } = typist("live");
    for (let key = 0; key < 31; key += 1) {
      hints.typing();
      vi.advanceTimersByTime(100);
    }
    expect(told).toHaveLength(2);
  });

  it("is told at once after a message was sent", () => {
    const { hints, told } = typist("live");
    hints.typing();
    hints.sent();
    hints.typing();
    expect(told).toHaveLength(2);
  });

  it("is told as soon as there is a line, whatever was typed without one", () => {
    const { hints, line, told } = typist("waiting");
    hints.typing();
    line.state = "live";
    hints.typing();
    expect(told).toEqual([{ type: "typing" }]);
  });
});

describe("marks", () => {
  const seen = (seq: number) => ({ type: "seen", conversation: "c_1", seq });

  it("are told at once, and then together at their highest", () => {
    const { hints, told } = typist("live");
    hints.seen("c_1", 1);
    expect(told).toEqual([seen(1)]);
    for (let seq = 2; seq <= 200; seq += 1) hints.seen("c_1", seq);
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([seen(1), seen(200)]);
    hints.seen("c_1", 201);
    expect(told).toHaveLength(3);
  });

  it("of what is before somebody's eyes say seen alone, or after a while delivered", () => {
    const { hints, line, told } = typist("live");
    Object.assign(line, { leading: true });
    hints.delivered("c_1", 1, true);
    vi.advanceTimersByTime(500);
    hints.seen("c_1", 1);
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual([seen(1)]);
    hints.delivered("c_1", 3, true);
    hints.seen("c_1", 2);
    vi.advanceTimersByTime(5_000);
    expect(told.slice(1)).toContainEqual({ type: "delivered", conversation: "c_1", seq: 3 });
    hints.delivered("c_1", 4);
    expect(told.at(-1)).toEqual({ type: "delivered", conversation: "c_1", seq: 4 });
  });

  it("are not told after the end", () => {
    const { hints, told } = typist("live");
    hints.seen("c_1", 1);
    hints.seen("c_1", 2);
    hints.stop();
    vi.advanceTimersByTime(1_000);
    expect(told).toEqual([seen(1)]);
  });
});
