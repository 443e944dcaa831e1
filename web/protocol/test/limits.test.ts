import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { NICKNAME_GRAPHEMES, TEXT_BYTES, TEXT_GRAPHEMES, remainingCharacters, isNearTextLimit } from "../src/limits.ts";

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
  expect(remainingCharacters("a".repeat(3_999))).toBe(1);
  expect(remainingCharacters("a".repeat(4_001))).toBe(-1);
  expect(remainingCharacters("é".repeat(4_000))).toBe(0);
  const families = remainingCharacters("👨‍👩‍👧".repeat(1_000));
  expect(families).toBeLessThan(0);
  expect(families).toBeGreaterThanOrEqual(-91);
  expect(remainingCharacters("👨‍👩‍👧".repeat(900))).toBeGreaterThanOrEqual(0);
  expect([isNearTextLimit(remainingCharacters("short")), isNearTextLimit(400), isNearTextLimit(401)]).toEqual([false, true, false]);
});
