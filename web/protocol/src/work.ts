// Work for entry while a site is under attack: a number that, written after the challenge, gives a SHA-256 that begins
// with zero bits. Our own hash, because crypto.subtle is missing on plain http pages and slow for many small inputs.

/** One slice of work: the page stays responsive (a long task begins at 50 ms). */
const SLICE_MS = 12;
/** Looking at the clock costs as much as a hash. */
const HASHES_A_LOOK = 64;
/** One block of the hash holds so many characters beside its length. */
const BLOCK_CHARACTERS = 55;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes, and of the square roots of the first 8 (FIPS 180-4). */
const primes = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && !Array.from({ length: n }, (_, d) => d).some((d) => d > 1 && n % d === 0));
const fraction = (x: number) => ((x % 1) * 2 ** 32) | 0;
const ROUNDS = Int32Array.from(primes, Math.cbrt).map((_, at) => fraction(Math.cbrt(primes[at]!)));
const START = primes.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

const words = new Int32Array(64);
const turn = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/** The first word of the SHA-256 of a text of one block. */
function firstWord(text: string): number {
  words.fill(0, 0, 16);
  for (let at = 0; at < text.length; at += 1) words[at >> 2]! |= text.charCodeAt(at) << (24 - (at & 3) * 8);
  words[text.length >> 2]! |= 0x80 << (24 - (text.length & 3) * 8);
  words[15] = text.length * 8;
  for (let at = 16; at < 64; at += 1) {
    const a = words[at - 15]!;
    const b = words[at - 2]!;
    words[at] = words[at - 16]! + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + words[at - 7]! + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = START as [number, number, number, number, number, number, number, number];
  for (let at = 0; at < 64; at += 1) {
    const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[at]! + words[at]!) | 0;
    const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  return (a + START[0]!) | 0;
}

/** Finds `challenge:number`. Takes some 2^bits hashes, in slices. */
export async function solve({ challenge, bits }: { challenge: string; bits: number }): Promise<string> {
  if (challenge.length > BLOCK_CHARACTERS - 10 || bits > 32) throw new Error("unknown kind of work");
  const pause = new MessageChannel();
  let goOn = () => {};
  pause.port1.onmessage = () => goOn();
  try {
    for (let number = 0; ; ) {
      const until = performance.now() + SLICE_MS;
      do {
        for (const end = number + HASHES_A_LOOK; number < end; number += 1) {
          const answer = `${challenge}:${number}`;
          if (Math.clz32(firstWord(answer)) >= bits) return answer;
        }
      } while (performance.now() < until);
      // A timer would wait 4 ms each time; a message comes at once, after what the page has to do.
      await new Promise<void>((resolve) => {
        goOn = resolve;
        pause.port2.postMessage(0);
      });
    }
  } finally {
    pause.port1.close();
  }
}
