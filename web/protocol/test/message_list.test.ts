import { describe, expect, it } from "vitest";
import { createDayKey, groupIntoRows } from "../src/grouping.ts";
import { MessageList } from "../src/message_list.ts";

type Message = { conversation: string; seq: number };
const list = () => new MessageList<Message>((message) => message.conversation);
const of = (conversation: string, ...seqs: number[]): Message[] => seqs.map((seq) => ({ conversation, seq }));
const shown = (messages: MessageList<Message>) => messages.list.map(({ conversation, seq }) => `${conversation}${seq}`).join(" ");

describe("a list of messages", () => {
  it("shows a message once, however often it comes", () => {
    const messages = list();
    messages.reset(of("a", 1, 2));
    expect([messages.add({ conversation: "a", seq: 3 }), messages.add({ conversation: "a", seq: 3 }), messages.add({ conversation: "a", seq: 1 })]).toEqual(["added", "known", "known"]);
    expect(shown(messages)).toBe("a1 a2 a3");
  });

  it("notices a gap and fills it in place", () => {
    const messages = list();
    messages.reset(of("a", 1, 2));
    expect(messages.add({ conversation: "a", seq: 5 })).toBe("gap");
    expect(messages.gap("a")).toBe(5);
    messages.fill(of("a", 2, 3, 4));
    expect(shown(messages)).toBe("a1 a2 a3 a4 a5");
    expect(messages.gap("a")).toBe(null);
  });

  it("puts older pages above and keeps conversations in the server's order", () => {
    const messages = list();
    messages.reset([...of("a", 4, 5), ...of("b", 1)]);
    messages.prepend(of("a", 2, 3, 4));
    messages.add({ conversation: "a", seq: 6 });
    expect(shown(messages)).toBe("a2 a3 a4 a5 b1 a6");
  });

  it("reports no gap before a conversation's first message, and one before any other", () => {
    const messages = list();
    expect([messages.add({ conversation: "a", seq: 1 }), messages.add({ conversation: "b", seq: 4 })]).toEqual(["added", "gap"]);
  });
});

describe("rows", () => {
  const at = Date.UTC(2026, 10, 22, 22, 58);
  const minute = 60_000;
  const message = (key: string, sender: string, minutes: number) => ({ key, sender, at: at + minutes * minute });

  it("joins one sender within five minutes", () => {
    const rows = groupIntoRows([message("1", "a", 0), message("2", "a", 1), message("3", "a", 7), message("4", "b", 8)], () => "day");
    expect(rows.map(({ first, last }) => [first, last])).toEqual([[true, false], [false, true], [true, true], [true, true]]);
    expect(rows.map(({ day }) => day !== null)).toEqual([true, false, false, false]);
  });

  it("splits days by the reader's time zone", () => {
    const messages = [message("1", "a", 0), message("2", "a", 4)];
    const breaks = (zone: string) => groupIntoRows(messages, createDayKey(zone)).filter(({ day }) => day !== null).length;
    expect([breaks("UTC"), breaks("Europe/Paris"), breaks("Asia/Tokyo")]).toEqual([1, 2, 1]);
    expect(groupIntoRows([message("1", "a", 0), message("2", "a", 63)], createDayKey("UTC")).filter(({ day }) => day !== null).length).toBe(2);
  });

  it("keeps the rows that did not change", () => {
    const messages = [message("1", "a", 0), message("2", "b", 1)];
    const before = groupIntoRows(messages, () => "day");
    expect(groupIntoRows([...messages], () => "day", before)).toBe(before);
    const after = groupIntoRows([...messages, message("3", "c", 2)], () => "day", before);
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
  });
});
