export type ImageType = "image/png" | "image/jpeg" | "image/gif";

/** Looks at the content; names and declared types prove nothing. */
export function sniffImage(head: Uint8Array): ImageType | null {
  const starts = (...bytes: number[]) => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return "image/png";
  if (starts(0xff, 0xd8, 0xff)) return "image/jpeg";
  if (starts(0x47, 0x49, 0x46, 0x38) && (head[4] === 0x37 || head[4] === 0x39) && head[5] === 0x61) return "image/gif";
  return null;
}

/** Longest side that is sent. Photos of phones are larger than any screen that will show them. */
export const LONGEST_SIDE = 2_560;

export function fitted(width: number, height: number, longest: number = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(1, longest / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
