import { DetailedError, Upload } from 'tus-js-client';

import { OWN } from '../api/files';
import { Problem, problem } from '../api/http';
import { join } from '../path';
import { session } from '../state/session.svelte';
import type { UploadItem } from './item.svelte';
import { held } from './source';

export { isReadable } from './source';

/** One attempt at one file. */
export interface Attempt {
  /** Stops sending; what arrived stays where it is. */
  stop(): void;
}

/** How an attempt ends. Neither is called after `stop`. */
export interface Outcome {
  done(): void;
  failed(problem: Problem): void;
}

/**
 * Sends a file, from where an earlier attempt stood if there was one. When to try again is the queue's decision: it
 * alone knows of the other files, so the client's own delays are off.
 */
export function attempt(item: UploadItem, file: File, outcome: Outcome): Attempt {
  // What is sure to be refused is not begun. Whose plan holds in somebody else's tree, only the service knows.
  const most = item.root === OWN ? session.account?.limits?.file_bytes : undefined;
  if (most != null && file.size > most) {
    const timer = setTimeout(() => outcome.failed(new Problem(413, 'file_too_large', '')));
    return { stop: () => clearTimeout(timer) };
  }
  const upload = new Upload(file, {
    fileReader: held,
    endpoint: item.root.uploads,
    uploadUrl: item.url,
    retryDelays: null,
    storeFingerprintForResuming: false,
    metadata: {
      path: join(item.path),
      filetype: file.type,
      modified: String(file.lastModified * 1000),
    },
    onUploadUrlAvailable: () => (item.url = upload.url),
    onProgress: (sent) => (item.sent = sent),
    onSuccess: () => outcome.done(),
    onError: (error) => outcome.failed(read(error)),
  });
  upload.start();
  return { stop: () => void upload.abort() };
}

/** Tells the service that nothing more comes, so that what arrived can go. If it does not hear, the upload expires. */
export async function giveUp(url: string): Promise<void> {
  await Upload.terminate(url, { retryDelays: null }).catch(() => undefined);
}

function read(error: Error): Problem {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (response == null || response.getStatus() === 0) return new Problem(0, 'offline', 'the service does not answer');
  return problem(response.getStatus(), response.getBody());
}
