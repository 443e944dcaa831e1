import { fitted, isAnimated, isAvifOrHeic, sniffImage, type ImageType } from "./image_check.ts";

export type PreparedImage = { blob: Blob; type: ImageType; width: number; height: number };
export type ImageProblem = "invalid_image" | "image_too_large";

/** What a picture needs of the browser; tests bring their own. */
export type ImageTools = {
  decode(blob: Blob): Promise<{ width: number; height: number; draw: CanvasImageSource; close(): void }>;
  encode(image: CanvasImageSource, width: number, height: number, type: ImageType): Promise<Blob | null>;
};

/**
 * Makes a picked file fit to send: really a picture, upright, no larger than anyone will look at.
 * Drawing anew also leaves the place it was taken behind. Animations are sent as they are; AVIF and HEIC as a jpg where
 * the browser can read them.
 */
export async function prepareImage(file: Blob, limit: number, tools: ImageTools = browserTools): Promise<PreparedImage | ImageProblem> {
  const head = await headOf(file);
  const type = sniffImage(head);
  if (type === null && !isAvifOrHeic(head)) return "invalid_image";
  let decoded: Awaited<ReturnType<ImageTools["decode"]>>;
  try {
    decoded = await tools.decode(file);
  } catch {
    return "invalid_image";
  }
  try {
    const { width, height } = decoded;
    const size = fitted(width, height);
    if (type === null || (!isAnimated(head, type) && (size.width < width || file.size > limit))) {
      const made = await tools.encode(decoded.draw, size.width, size.height, type === null || file.size > limit ? "image/jpeg" : type);
      if (made !== null && made.size <= limit) return { blob: made, type: made.type as ImageType, ...size };
    }
    if (type === null || file.size > limit) return "image_too_large";
    return { blob: new Blob([file], { type }), type, width, height };
  } finally {
    decoded.close();
  }
}

/** Enough to know what it is and whether it moves. */
async function headOf(blob: Blob): Promise<Uint8Array> {
  return new Uint8Array(await blob.slice(0, 65_536).arrayBuffer());
}

/** A proxy that nobody told otherwise passes on 1 MiB (nginx). */
const LIGHT_BYTES = 900_000;

/** The picture as a JPEG that passes proxies; null when it is small already or would stop moving. */
export async function lightenImage(blob: Blob, tools: ImageTools = browserTools): Promise<PreparedImage | null> {
  const head = await headOf(blob);
  const type = sniffImage(head);
  if (blob.size <= LIGHT_BYTES || (type !== null && isAnimated(head, type))) return null;
  const decoded = await tools.decode(blob);
  try {
    for (let { width, height } = decoded; ; ) {
      const made = await tools.encode(decoded.draw, width, height, "image/jpeg");
      if (made === null || made.size <= LIGHT_BYTES) return made && { blob: made, type: "image/jpeg", width, height };
      ({ width, height } = fitted(width, height, Math.max(width, height) * Math.min(0.8, Math.sqrt(LIGHT_BYTES / made.size))));
    }
  } finally {
    decoded.close();
  }
}

const browserTools: ImageTools = {
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
