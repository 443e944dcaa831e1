/** What the server takes. */
export type ImageType = "image/png" | "image/jpeg" | "image/gif" | "image/webp";

/** What a picker offers: also what the browser may turn into one of these where it can read it. */
export const PICKED_TYPES = "image/png,image/jpeg,image/gif,image/webp,image/avif,image/heic,image/heif";

/** Looks at the content; names and declared types prove nothing. */
export function sniffImage(head: Uint8Array): ImageType | null {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  const text = (from: number, to: number) => String.fromCharCode(...head.subarray(from, to));
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (starts(0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(0x47, 0x49, 0x46, 0x38) && (head[4] === 0x37 || head[4] === 0x39) && head[5] === 0x61) return "image/gif";
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return "image/webp";
  return null;
}

/** AVIF or HEIC: the server takes neither, but a browser that can read one turns it into a jpg. */
export function isAvifOrHeic(head: Uint8Array): boolean {
  const text = (from: number, to: number) => String.fromCharCode(...head.subarray(from, to));
  return text(4, 8) === "ftyp" && /^(avif|avis|hei[cmsx]|hev[cmsx]|mif1|msf1)$/.test(text(8, 12));
}

/** Would drawing it anew stop it? An animated png says so before its pixels, a webp in its first block. */
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

/** Longest side that is sent. Photos of phones are larger than any screen that will show them. */
export const LONGEST_SIDE = 2_560;

export function fitted(width: number, height: number, longest: number = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
