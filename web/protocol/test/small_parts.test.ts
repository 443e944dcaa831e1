import { describe, expect, it } from "vitest";
import { fitWithin, isAnimated, isAvifOrHeic, sniffImage } from "../src/image_check.ts";
import { prepareImage, type ImageCodec } from "../src/image_prepare.ts";
import { truncate, onlyEmoji, sanitizeName, sanitizeText } from "../src/text.ts";
import { randomId } from "../src/random_id.ts";
import { apiErrorFrom } from "../src/api_error.ts";
import { SseParser } from "../src/sse_parser.ts";

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const bytes = (...values: number[]) => new Uint8Array(values);

describe("images", () => {
  it("are recognised by their content", () => {
    expect(sniffImage(bytes(...PNG))).toBe("image/png");
    expect(sniffImage(bytes(0xff, 0xd8, 0xff, 0xe0))).toBe("image/jpeg");
    expect(sniffImage(new TextEncoder().encode("GIF89a"))).toBe("image/gif");
    expect(sniffImage(new TextEncoder().encode("RIFF\0\0\0\0WEBPVP8 "))).toBe("image/webp");
    expect(sniffImage(new TextEncoder().encode("\0\0\0\x1cftypheic"))).toBe(null);
    expect(isAvifOrHeic(new TextEncoder().encode("\0\0\0\x1cftypheic"))).toBe(true);
    expect(isAvifOrHeic(new TextEncoder().encode("\0\0\0\x1cftypmp42"))).toBe(false);
    expect(sniffImage(new TextEncoder().encode("<svg xmlns="))).toBe(null);
    expect(sniffImage(new TextEncoder().encode("GIF90a"))).toBe(null);
    expect(sniffImage(bytes())).toBe(null);
  });

  it("are scaled to the longest side and keep their aspect ratio", () => {
    expect(fitWithin(8_000, 6_000)).toEqual({ width: 2_560, height: 1_920 });
    expect(fitWithin(100, 50)).toEqual({ width: 100, height: 50 });
    expect(fitWithin(1, 100_000)).toEqual({ width: 1, height: 2_560 });
  });

  const codec = (width: number, height: number): ImageCodec => ({
    decode: async () => ({ width, height, draw: {} as CanvasImageSource, close() {} }),
    encode: async (_, __, ___, type) => new Blob(["small"], { type }),
  });

  const chunk = (kind: string, length: number) => [0, 0, 0, length, ...new TextEncoder().encode(kind), ...new Array<number>(length + 4).fill(0)];
  const animated = bytes(...PNG, ...chunk("IHDR", 13), ...chunk("acTL", 8), ...chunk("IDAT", 9));

  it("that are animated are sent unchanged", async () => {
    expect(isAnimated(animated, "image/png")).toBe(true);
    expect(isAnimated(bytes(...PNG, ...chunk("IHDR", 13), ...chunk("IDAT", 9), ...chunk("acTL", 8)), "image/png")).toBe(false);
    expect(isAnimated(bytes(...PNG, 0, 0), "image/png")).toBe(false);
    expect(await prepareImage(new Blob([animated]), 10_000, codec(8_000, 6_000))).toMatchObject({ type: "image/png", width: 8_000 });
  });

  it("that only the browser can decode become a JPEG", async () => {
    const photo = new Blob([new TextEncoder().encode("\0\0\0\x1cftypheic")]);
    expect(await prepareImage(photo, 10_000, codec(8_000, 6_000))).toMatchObject({ type: "image/jpeg", width: 2_560 });
    const unreadable = { ...codec(1, 1), decode: async () => Promise.reject(new Error("no")) };
    expect(await prepareImage(photo, 10_000, unreadable)).toBe("invalid_image");
  });

  it("are made smaller before they are sent, and refused where that is not enough", async () => {
    const photo = new Blob([bytes(...PNG), new Uint8Array(2_000)], { type: "text/plain" });
    expect(await prepareImage(photo, 10_000, codec(8_000, 6_000))).toMatchObject({ type: "image/png", width: 2_560, height: 1_920 });
    expect(await prepareImage(photo, 1_000, codec(80, 60))).toMatchObject({ type: "image/jpeg", width: 80 });
    expect(await prepareImage(photo, 3, codec(80, 60))).toBe("image_too_large");
    expect(await prepareImage(new Blob(["<svg/>"], { type: "image/png" }), 1_000, codec(1, 1))).toBe("invalid_image");
  });
});

describe("names and texts", () => {
  it("contain no hidden characters", () => {
    expect(sanitizeName("Ann\u202egnp", "x")).toBe("Anngnp");
    expect(sanitizeName("\u200b\u200d", "Support")).toBe("Support");
    expect(sanitizeName(null, "Support")).toBe("Support");
    expect(sanitizeText("a\u0007b\r\nc\td")).toBe("ab\nc\td");
  });

  it("are cut between grapheme clusters", () => {
    expect(truncate("short", 64)).toBe("short");
    expect(truncate("👨‍👩‍👧é🇫🇷👋🏽", 3)).toBe("👨‍👩‍👧é🇫🇷");
    expect(truncate("a".repeat(65), 64)).toBe("a".repeat(64));
  });

  it("of emoji alone are recognised", () => {
    expect(["👍", "❤️", "👨‍👩‍👧 🎉", "🇫🇷", "👋🏽"].map(onlyEmoji)).toEqual([true, true, true, true, true]);
    expect(["1", "ok 👍", "", "123", "👍👍👍👍👍👍👍"].map(onlyEmoji)).toEqual([false, false, false, false, false]);
  });
});

describe("ids, streams and errors", () => {
  it("ids have 132 bits", () => {
    expect(randomId()).toMatch(/^[\w-]{22}$/);
    expect(randomId()).not.toBe(randomId());
  });

  it("a stream may be cut anywhere", () => {
    const whole = ': hi\r\ndata: {"a":1}\r\n\r\nevent: x\ndata: 2\ndata: 3\n\ndata:4\n\n';
    for (let size = 1; size < whole.length; size += 1) {
      const parser = new SseParser();
      const payloads: string[] = [];
      for (let at = 0; at < whole.length; at += size) payloads.push(...parser.push(whole.slice(at, at + size)));
      expect(payloads).toEqual(['{"a":1}', "2\n3", "4"]);
    }
  });

  it("errors are read from the server's JSON and from a proxy's page", () => {
    expect(apiErrorFrom(429, '{"error":{"code":"sending_too_frequently","message":"m","retry_after_s":7}}', null)).toMatchObject({ code: "sending_too_frequently", retryAfterS: 7 });
    expect(apiErrorFrom(502, "<html>", "3")).toMatchObject({ code: "unavailable", retryAfterS: 3 });
  });
});
