import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { solveChallenge } from "../src/proof_of_work.ts";

const zeroBits = (text: string) => Math.clz32(createHash("sha256").update(text).digest().readUInt32BE());

test("a solution is one that the server accepts", async () => {
  for (let n = 0; n < 20; n += 1) {
    const challenge = `14.1763850000.${"abcdefgh".slice(n % 8)}.${"Zz-_09".repeat(3).slice(0, 16)}`;
    const answer = await solveChallenge({ challenge, bits: 10 });
    expect(answer.startsWith(`${challenge}:`)).toBe(true);
    expect(zeroBits(answer)).toBeGreaterThanOrEqual(10);
  }
});

test("the first number that fits is found, so none is skipped", async () => {
  const challenge = "14.1763850000.abcdefgh.0123456789abcdef";
  const first = Array.from({ length: 1 << 14 }, (_, n) => n).find((n) => zeroBits(`${challenge}:${n}`) >= 8);
  expect(await solveChallenge({ challenge, bits: 8 })).toBe(`${challenge}:${first}`);
});

test("the page stays responsive: other tasks run in between", async () => {
  let between = 0;
  const ticking = setInterval(() => (between += 1), 1);
  await solveChallenge({ challenge: "14.1763850000.abcdefgh.0123456789abcdef", bits: 17 });
  clearInterval(ticking);
  expect(between).toBeGreaterThan(0);
});

test("a challenge of an unknown kind is refused instead of running for ever", async () => {
  await expect(solveChallenge({ challenge: "x".repeat(60), bits: 8 })).rejects.toThrow();
  await expect(solveChallenge({ challenge: "x", bits: 64 })).rejects.toThrow();
});
