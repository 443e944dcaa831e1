/** The image types that the server accepts. */
export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** The types that the file picker offers: also those that the browser converts to one of these if it can decode them. */
export const PICKED_TYPES = "image/png,image/jpeg,image/gif,image/webp,image/avif,image/heic,image/heif";

/** Detects the type from the content, because file names and declared types prove nothing. Returns null for any other. */
export function sniffImage(head: Uint8Array): ImageType | null {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  const text = (from: number, to: number) => String.fromCharCode(...head.subarray(from, to));
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (starts(0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(0x47, 0x49, 0x46, 0x38) && (head[4] === 0x37 || head[4] === 0x39) && head[5] === 0x61) return "image/gif";
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return "image/webp";
  return null;
}

/** Is it AVIF or HEIC? The server accepts neither, but a browser that can decode them converts them to JPEG. */
export function isAvifOrHeic(head: Uint8Array): boolean {
  const text = (from: number, to: number) => String.fromCharCode(...head.subarray(from, to));
  return text(4, 8) === "ftyp" && /^(avif|avis|hei[cmsx]|hev[cmsx]|mif1|msf1)$/.test(text(8, 12));
}

/** Would re-encoding on a canvas stop an animation? An animated PNG declares it before its pixels, a WebP in its first chunk. */
export function isAnimated(head: Uint8Array, type: ImageType): boolean {
  if (type === "image/gif") return true;
  if (type === "image/webp") return String.fromCharCode(...head.subarray(12, 16)) === "VP8X" && ((head[20] ?? 0) & 2) !== 0;
  if (type !== "image/png") return false;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 8; at + 8 <= head.length; at += 12 + view.getUint32(at)) {
    const chunk = String.fromCharCode(...head.subarray(at + 4, at + 8));
    if (chunk === "acTL") return true;
    if (chunk === "IDAT") return false;
  }
  return false;
}

/** Longest side of an image that is sent, in pixels. Photos from phones are larger than any screen that will show them. */
export const LONGEST_SIDE = 2_560;

/** Scales a size down so that its longer side is at most `longest` pixels; never up. */
export function fitWithin(width: number, height: number, longest: number = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
