import { API } from '../base';

/** A refusal of the service (RFC 9457), or `offline` if it gave no answer at all. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    /** A stable name for programs. */
    readonly code: string,
    /** A sentence for people, in English. */
    readonly detail: string,
    /** Seconds that the service asks to wait. */
    readonly retryAfter: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.name = 'Problem';
  }

  /** Nothing was decided: the same request may succeed later. */
  get passing(): boolean {
    if (this.status === 507) return false; // Space does not come back by waiting.
    return this.status === 0 || this.status === 423 || this.status === 429 || this.status >= 500;
  }
}

/** Called on every answer that says that the session is over. */
let signedOut: () => void = () => undefined;

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
}

/** Called on every answer that says that a grant has ended, or allows less than it did. */
let grantChanged: () => void = () => undefined;

/** Only the view that shows what others share listens; it stops by what is returned. */
export function onGrantChanged(listener: () => void): () => void {
  grantChanged = listener;
  return () => (grantChanged = () => undefined);
}

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The address of something in the interface; `path` is encoded already. */
export function address(path: string): string {
  return API + path;
}

/**
 * Sends a request, bytes as they are and all else as JSON; every answer that is no success is thrown as a `Problem`. A
 * `token` stands for whoever has it, and not for who is signed in.
 */
export async function send(
  method: Method,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  token?: string,
): Promise<Response> {
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const init: RequestInit = { method, credentials: 'same-origin', signal: signal ?? null, headers };
  if (body instanceof Blob) init.body = body;
  else if (body !== undefined) {
    init.body = JSON.stringify(body);
    headers['Content-Type'] = 'application/json';
  }
  let response: Response;
  try {
    response = await fetch(address(path), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(0, 'offline', 'the service does not answer');
  }
  if (response.ok) return response;
  const problem = await read(response);
  if (ENDED.has(problem.code)) signedOut();
  if (problem.code === 'no_shared' || problem.code === 'read_only') grantChanged();
  throw problem;
}

/** Codes with which the service says that nobody is signed in; others with 401 speak of a password just typed. */
const ENDED: ReadonlySet<string> = new Set(['no_token', 'signed_out', 'token_unknown', 'token_expired']);

/** Sends a request and reads its JSON answer, which is trusted to have the shape that the interface promises. */
export async function ask<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(method, path, body, signal);
  return (await response.json()) as T;
}

async function read(response: Response): Promise<Problem> {
  const wait = Number(response.headers.get('Retry-After') ?? NaN);
  const retryAfter = Number.isFinite(wait) ? wait : null;
  const text = await response.text().catch(() => '');
  return problem(response.status, text, retryAfter);
}

/** Reads a problem document; an answer of something between, which is none, keeps its status. */
export function problem(status: number, text: string, retryAfter: number | null = null): Problem {
  let [code, detail] = [`http_${status}`, ''];
  try {
    const document = JSON.parse(text) as { code?: unknown; detail?: unknown };
    if (typeof document.code === 'string') code = document.code;
    if (typeof document.detail === 'string') detail = document.detail;
  } catch {
    // A page of a proxy: its status is all that can be used.
  }
  return new Problem(status, code, detail, retryAfter);
}
