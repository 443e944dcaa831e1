import { answered, Refusal, refusalFrom, uploadImage } from '@ocs/protocol';

const base = '/api/console/';
/** The one address that is not asked again after itself. */
export const confirmPath = 'account/confirm';

/** The answer never came: away, asleep or cut off. Worth trying again. */
export class Unreachable extends Error {
  constructor() {
    super('The server cannot be reached. Check your connection and try again.');
  }
}

let csrf = '';
let onSignedOut: () => void = () => {};
let onAskedAgain: (refusal: Refusal) => Promise<boolean> = async () => false;

export function keepCsrf(token: string): void {
  csrf = token;
}

export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/** The server asks again who this is before it does what was asked for. `act` answers whether that was shown. */
export function whenAskedAgain(act: (refusal: Refusal) => Promise<boolean>): void {
  onAskedAgain = act;
}

/** Somebody did not show that it is them. */
export class NotConfirmed extends Error {
  constructor() {
    super('This was not confirmed. Nothing was changed.');
  }
}

export function read<T>(path: string): Promise<T> {
  return ask<T>('GET', path);
}

export function change<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown = {}): Promise<T> {
  return ask<T>(method, path, body);
}

/** Does what was asked for, after the confirmation where the server asks for one. */
async function ask<T>(method: string, path: string, body?: unknown): Promise<T> {
  try {
    return await askOnce<T>(method, path, body);
  } catch (problem) {
    if (!(problem instanceof Refusal) || problem.code !== 'confirmation_required' || path === confirmPath) throw problem;
    if (!(await onAskedAgain(problem))) throw new NotConfirmed();
    return askOnce<T>(method, path, body);
  }
}

async function askOnce<T>(method: string, path: string, body?: unknown): Promise<T> {
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

/** Returns the handle to send. `progress` is told how much has gone, 0 to 1. */
export async function upload(path: string, image: Blob, stop: AbortSignal, progress: (share: number) => void): Promise<string> {
  try {
    return await uploadImage(base + path, { 'X-CSRF-Token': csrf }, image, stop, progress);
  } catch (problem) {
    throw noticed(problem);
  }
}

function settle<T>(status: number, text: string, retryAfter: string | null): T {
  if (status >= 200 && status < 300) {
    const answer = (text ? JSON.parse(text) : {}) as T;
    answered();
    return answer;
  }
  throw noticed(refusalFrom(status, text, retryAfter));
}

function noticed(problem: unknown): unknown {
  if (problem instanceof Refusal && problem.code === 'not_signed_in') onSignedOut();
  return problem;
}
