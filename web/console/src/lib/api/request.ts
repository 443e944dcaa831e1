import { reportResponse, ApiError, apiErrorFrom, uploadImage } from '@ocs/protocol';

const base = '/api/console/';
/** The only path that never triggers another confirmation. */
export const confirmPath = 'account/confirm';

/** There was no response: the server is down or the network is. A retry may succeed. */
export class Unreachable extends Error {
  constructor() {
    super('The server can’t be reached. Check your connection and try again.');
  }
}

let csrf = '';
let workspace = 0;
let onSignedOut: () => void = () => {};
let onMembershipChanged: () => void = () => {};
let promptForConfirmation: (refusal: ApiError) => Promise<boolean> = async () => false;

export function setCsrfToken(token: string): void {
  csrf = token;
}

/** Sets the workspace that `inWorkspace` names. */
export function setWorkspace(id: number): void {
  workspace = id;
}

/** The path of something in the chosen workspace. */
export function inWorkspace(path = ''): string {
  return path ? `workspaces/${workspace}/${path}` : `workspaces/${workspace}`;
}

export function setSignedOutListener(act: () => void): void {
  onSignedOut = act;
}

/** Sets what happens when a response suggests that the user's role or membership has changed. */
export function setMembershipListener(act: () => void): void {
  onMembershipChanged = act;
}

/** Sets what happens when the server requires a confirmation first. `act` resolves to true once the user has confirmed. */
export function setConfirmationPrompt(act: (refusal: ApiError) => Promise<boolean>): void {
  promptForConfirmation = act;
}

/** The user cancelled the confirmation that the server requires. */
export class NotConfirmed extends Error {
  constructor() {
    super('You didn’t confirm, so nothing was changed.');
  }
}

export function read<T>(path: string): Promise<T> {
  return request<T>('GET', path);
}

export function change<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown = {}): Promise<T> {
  return request<T>(method, path, body);
}

/** Sends a request; asks the user to confirm and repeats it when the server requires that. */
async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  try {
    return await requestOnce<T>(method, path, body);
  } catch (problem) {
    if (!(problem instanceof ApiError) || problem.code !== 'confirmation_required' || path === confirmPath) throw problem;
    if (!(await promptForConfirmation(problem))) throw new NotConfirmed();
    return requestOnce<T>(method, path, body);
  }
}

async function requestOnce<T>(method: string, path: string, body?: unknown): Promise<T> {
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
  return readResponse<T>(path, response.status, await response.text(), response.headers.get('Retry-After'));
}

/** Uploads an image and returns the id to send with a message. `progress` receives a share from 0 to 1. */
export async function upload(path: string, image: Blob, stop: AbortSignal, progress: (share: number) => void): Promise<string> {
  try {
    return await uploadImage(base + path, { 'X-CSRF-Token': csrf }, image, stop, progress);
  } catch (problem) {
    throw reportLostAccess(path, problem);
  }
}

function readResponse<T>(path: string, status: number, text: string, retryAfter: string | null): T {
  if (status >= 200 && status < 300) {
    const answer = (text ? JSON.parse(text) : {}) as T;
    reportResponse();
    return answer;
  }
  throw reportLostAccess(path, apiErrorFrom(status, text, retryAfter));
}

function reportLostAccess(path: string, problem: unknown): unknown {
  if (!(problem instanceof ApiError)) return problem;
  if (problem.code === 'not_signed_in') onSignedOut();
  // A workspace that exists only for its members is not found by others.
  else if (problem.code === 'role_required' || (problem.status === 404 && path.startsWith('workspaces/'))) onMembershipChanged();
  return problem;
}
