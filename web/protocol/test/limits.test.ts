import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NICKNAME_GRAPHEMES, TEXT_BYTES, TEXT_GRAPHEMES, textRoom, textRoomShown } from "../src/limits.ts";

test("the limits of a text and of a nickname equal the server's constants", () => {
  const number = (folder: string, name: string) => {
    const server = readFileSync(new URL(`../../../src/${folder}/mod.rs`, import.meta.url), "utf8");
    const [, written = ""] = new RegExp(`pub const ${name}: usize = ([^;]+);`).exec(server) ?? [];
    return written.replaceAll("_", "").split("*").reduce((product, part) => product * Number(part), 1);
  };
  expect([TEXT_GRAPHEMES, TEXT_BYTES]).toEqual([number("messages", "TEXT_GRAPHEMES"), number("messages", "TEXT_BYTES")]);
  expect(NICKNAME_GRAPHEMES).toBe(number("visitors", "NICKNAME_GRAPHEMES"));
});

test("remaining space is counted in grapheme clusters, or in bytes where these run out first", () => {
  expect(textRoom("a".repeat(3_999))).toBe(1);
  expect(textRoom("a".repeat(4_001))).toBe(-1);
  expect(textRoom("é".repeat(4_000))).toBe(0);
  const families = textRoom("👨‍👩‍👧".repeat(1_000));
  expect(families).toBeLessThan(0);
  expect(families).toBeGreaterThanOrEqual(-91);
  expect(textRoom("👨‍👩‍👧".repeat(900))).toBeGreaterThanOrEqual(0);
  expect([textRoomShown(textRoom("short")), textRoomShown(400), textRoomShown(401)]).toEqual([false, true, false]);
});
