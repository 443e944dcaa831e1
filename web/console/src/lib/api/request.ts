import { Refusal, refusalFrom } from '@ocs/protocol';

const base = '/api/console/';

/** The answer never came: away, asleep or cut off. Worth trying again. */
export class Unreachable extends Error {
  constructor() {
    super('The server cannot be reached. Check your connection and try again.');
  }
}

let csrf = '';
let onSignedOut: () => void = () => {};

export function keepCsrf(token: string): void {
  csrf = token;
}

export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

export function read<T>(path: string): Promise<T> {
  return ask<T>('GET', path);
}

export function change<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown = {}): Promise<T> {
  return ask<T>(method, path, body);
}

async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  const options: RequestInit = { method, headers, credentials: 'same-origin', cache: 'no-store' };
  if (method !== 'GET') {
    if (csrf) headers['X-CSRF-Token'] = csrf;
    headers['Content-Type'] = body instanceof Blob ? body.type : 'application/json';
    options.body = body instanceof Blob ? body : JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(base + path, options);
  } catch {
    throw new Unreachable();
  }
  return settle<T>(response.status, await response.text(), response.headers.get('Retry-After'));
}

/** Sends raw image bytes and tells how much has gone; fetch cannot. */
export function upload<T>(path: string, image: Blob, onProgress: (share: number) => void, stop?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    call.open('POST', base + path);
    call.setRequestHeader('X-CSRF-Token', csrf);
    call.setRequestHeader('Content-Type', image.type);
    call.upload.onprogress = (step) => step.lengthComputable && onProgress(step.loaded / step.total);
    call.onload = () => {
      try {
        resolve(settle<T>(call.status, call.responseText, call.getResponseHeader('Retry-After')));
      } catch (refusal) {
        reject(refusal);
      }
    };
    call.onerror = () => reject(new Unreachable());
    call.onabort = () => reject(new DOMException('Stopped', 'AbortError'));
    stop?.addEventListener('abort', () => call.abort());
    call.send(image);
  });
}

function settle<T>(status: number, text: string, retryAfter: string | null): T {
  if (status >= 200 && status < 300) return (text ? JSON.parse(text) : {}) as T;
  const refusal = refusalFrom(status, text, retryAfter);
  if (refusal.code === 'not_signed_in') onSignedOut();
  throw refusal;
}
