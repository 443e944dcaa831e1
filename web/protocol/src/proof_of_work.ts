// Proof of work, asked of new visitors while a site is under attack: find a number that, appended to the challenge, gives a
// SHA-256 that begins with zero bits. SHA-256 is implemented here because crypto.subtle is missing on plain http pages and
// slow for many small inputs.

/** Length of one slice of hashing: the page stays responsive, because a long task begins at 50 ms. */
const SLICE_MS = 12;
/** Hashes between two looks at the clock, each of which costs as much as a hash. */
const HASHES_PER_CLOCK_READ = 64;
/** Characters that fit into one block of the hash, beside the length. */
const BLOCK_CHARACTERS = 55;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8 (FIPS 180-4). */
const primes = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && !Array.from({ length: n }, (_, d) => d).some((d) => d > 1 && n % d === 0));
const fraction = (x: number) => ((x % 1) * 2 ** 32) | 0;
const ROUNDS = Int32Array.from(primes, Math.cbrt).map((_, at) => fraction(Math.cbrt(primes[at]!)));
const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

const words = new Int32Array(64);
const rotate = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/** The first 32 bits of the SHA-256 of a text that fits into one block. */
function firstWord(text: string): number {
  words.fill(0, 0, 16);
  for (let at = 0; at < text.length; at += 1) words[at >> 2]! |= text.charCodeAt(at) << (24 - (at & 3) * 8);
  words[text.length >> 2]! |= 0x80 << (24 - (text.length & 3) * 8);
  words[15] = text.length * 8;
  for (let at = 16; at < 64; at += 1) {
    const a = words[at - 15]!;
    const b = words[at - 2]!;
    words[at] = words[at - 16]! + (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) + words[at - 7]! + (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = START as [number, number, number, number, number, number, number, number];
  for (let at = 0; at < 64; at += 1) {
    const one = (h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[at]! + words[at]!) | 0;
    const two = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  return (a + START[0]!) | 0;
}

/** Finds `challenge:number`. Takes about 2^bits hashes, in slices. Throws for a challenge of an unknown kind. */
export async function solveChallenge({ challenge, bits }: { challenge: string; bits: number }): Promise<string> {
  if (challenge.length > BLOCK_CHARACTERS - 10 || bits > 32) throw new Error("unknown kind of work");
  const pause = new MessageChannel();
  let goOn = () => {};
  pause.port1.onmessage = () => goOn();
  try {
    for (let number = 0; ; ) {
      const until = performance.now() + SLICE_MS;
      do {
        for (const end = number + HASHES_PER_CLOCK_READ; number < end; number += 1) {
          const answer = `${challenge}:${number}`;
          if (Math.clz32(firstWord(answer)) >= bits) return answer;
        }
      } while (performance.now() < until);
      // A timer would wait at least 4 ms; a message is delivered at once, after the page's own tasks.
      await new Promise<void>((resolve) => {
        goOn = resolve;
        pause.port2.postMessage(0);
      });
    }
  } finally {
    pause.port1.close();
  }
}
