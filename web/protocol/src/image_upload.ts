import { refusalFrom } from "./refusal.ts";
import type { Uploaded } from "./wire.ts";

/**
 * Posts a picture's bytes and tells how much has gone, 0 to 1; fetch cannot. Returns the handle to send. Rejects with a
 * Refusal; with another error when no answer came or it was not the server's.
 */
export function uploadImage(url: string, headers: Record<string, string>, image: Blob, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries({ ...headers, "Content-Type": image.type })) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status >= 300) return reject(refusalFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      try {
        resolve((JSON.parse(request.responseText) as Uploaded).image.id);
      } catch (error) {
        // Somebody else's page, with which a hotel asks for its terms.
        reject(error);
      }
    };
    request.onerror = request.onabort = () => reject(new TypeError("upload failed"));
    cancelled.addEventListener("abort", () => request.abort());
    request.send(image);
  });
}
