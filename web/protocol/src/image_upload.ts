import { apiErrorFrom } from "./api_error.ts";
import type { Uploaded } from "./wire.ts";

/**
 * Uploads an image and reports the progress from 0 to 1, which fetch can't. Resolves to the image id to send. Rejects with
 * a Refusal, or with another error when there was no response or it did not come from the server.
 */
export function uploadImage(url: string, headers: Record<string, string>, image: Blob, cancelled: AbortSignal, progress: (part: number) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    for (const [name, value] of Object.entries({ ...headers, "Content-Type": image.type })) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status >= 300) return reject(apiErrorFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
      try {
        resolve((JSON.parse(request.responseText) as Uploaded).image.id);
      } catch (error) {
        // A captive portal answered, such as a hotel's login page.
        reject(error);
      }
    };
    request.onerror = request.onabort = () => reject(new TypeError("upload failed"));
    cancelled.addEventListener("abort", () => request.abort());
    request.send(image);
  });
}
