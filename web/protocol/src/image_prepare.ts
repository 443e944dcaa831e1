import { fitWithin, isAnimated, isAvifOrHeic, sniffImage, type ImageType } from "./image_check.ts";

export type PreparedImage = { blob: Blob; type: ImageType; width: number; height: number };
export type ImageProblem = "invalid_image" | "image_too_large";

/** Image decoding and encoding of the browser; tests bring their own. */
export type ImageCodec = {
  decode(blob: Blob): Promise<{ width: number; height: number; draw: CanvasImageSource; close(): void }>;
  encode(image: CanvasImageSource, width: number, height: number, type: ImageType): Promise<Blob | null>;
};

/**
 * Prepares a picked file for sending: checks that it is an image, rotates it upright and scales it down to
 * `LONGEST_SIDE`. Re-encoding also removes the location where it was taken. Animations are sent unchanged; AVIF and HEIC
 * are converted to JPEG if the browser can decode them. `limit` is in bytes. Returns the reason when it can't be sent.
 */
export async function prepareImage(file: Blob, limit: number, codec: ImageCodec = browserCodec): Promise<PreparedImage | ImageProblem> {
  const head = await headOf(file);
  const type = sniffImage(head);
  if (type === null && !isAvifOrHeic(head)) return "invalid_image";
  let decoded: Awaited<ReturnType<ImageCodec["decode"]>>;
  try {
    decoded = await codec.decode(file);
  } catch {
    return "invalid_image";
  }
  try {
    const { width, height } = decoded;
    const size = fitWithin(width, height);
    if (type === null || (!isAnimated(head, type) && (size.width < width || file.size > limit))) {
      const made = await codec.encode(decoded.draw, size.width, size.height, type === null || file.size > limit ? "image/jpeg" : type);
      if (made !== null && made.size <= limit) return { blob: made, type: made.type as ImageType, ...size };
    }
    if (type === null || file.size > limit) return "image_too_large";
    return { blob: new Blob([file], { type }), type, width, height };
  } finally {
    decoded.close();
  }
}

/** The first 64 KiB: enough to detect the type and whether it is animated. */
async function headOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.slice(0, 65_536).arrayBuffer());
}

/** Fits through a proxy with its default body limit, which is 1 MiB in nginx. */
const PROXY_SAFE_BYTES = 900_000;

/** Re-encodes an image as a JPEG small enough for proxies; null when it is small already or animated. */
export async function shrinkImageBytes(blob: Blob, codec: ImageCodec = browserCodec): Promise<PreparedImage | null> {
  const head = await headOf(blob);
  const type = sniffImage(head);
  if (blob.size <= PROXY_SAFE_BYTES || (type !== null && isAnimated(head, type))) return null;
  const decoded = await codec.decode(blob);
  try {
    for (let { width, height } = decoded; ; ) {
      const made = await codec.encode(decoded.draw, width, height, "image/jpeg");
      if (made === null || made.size <= PROXY_SAFE_BYTES) return made && { blob: made, type: "image/jpeg", width, height };
      ({ width, height } = fitWithin(width, height, Math.max(width, height) * Math.min(0.8, Math.sqrt(PROXY_SAFE_BYTES / made.size))));
    }
  } finally {
    decoded.close();
  }
}

const browserCodec: ImageCodec = {
  async decode(blob) {
    const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image" });
    return { width: bitmap.width, height: bitmap.height, draw: bitmap, close: () => bitmap.close() };
  },
  async encode(image, width, height, type) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    if (context === null) return null;
    if (type === "image/jpeg") {
      context.fillStyle = "#fff";
      context.fillRect(0, 0, width, height);
    }
    context.drawImage(image, 0, 0, width, height);
    return new Promise((resolve) => canvas.toBlob(resolve, type, 0.85));
  },
};
