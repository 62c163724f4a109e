/** From a guest's drop, paste or picker to the queue, by a link that receives files and shows nothing. */

import { Root } from '../api/files';
import { uploads } from '../api/shares';
import { Problem } from '../api/http';
import type { Text } from '../text/en';
import { sentence } from '../text/problem';
import type { RequestWords } from '../text/en-request';
import type { UploadItem } from './item.svelte';
import { queue } from './queue.svelte';
import type { Incoming } from './sources';

/** Where a guest's files go: nothing of it can be asked for, it only takes. */
export class Letterbox extends Root {
  constructor(private readonly code: string) {
    super();
  }

  override get uploads(): string {
    return uploads(this.code);
  }

  /** What is noted of its unfinished uploads stands beside those of accounts; no account has a slash in its name. */
  get key(): string {
    return `s/${this.code}`;
  }
}

/**
 * Puts files into the queue. Those that were cut off when the page was closed go on where they stood, in the folder
 * that they were meant for then; the others go into a folder of the sender's name, if there is one.
 */
export function give(files: readonly Incoming[], into: Letterbox, sender: string): void {
  const above = folderOf(sender);
  const lost = new Map<string, UploadItem[]>();
  for (const item of queue.items) {
    if (item.state !== 'lost') continue;
    const key = keyOf(item.name, item.size, item.modified);
    const same = lost.get(key);
    if (same === undefined) lost.set(key, [item]);
    else same.push(item);
  }
  const placed = ({ path, file }: Incoming): string[] => {
    const same = lost.get(keyOf(path.at(-1) ?? '', file.size, file.lastModified)) ?? [];
    const at = same.findIndex((item) => endsWith(item.path, path));
    if (at < 0) return [...above, ...path];
    return same.splice(at, 1).flatMap((item) => [...item.path]);
  };
  queue.add(files.map((one) => ({ root: into, path: placed(one), file: one.file })));
}

/** The folder that a sender's name makes: what a path cannot hold is left out. */
export function folderOf(sender: string): string[] {
  const name = sender
    .replaceAll(/[/\\]/g, '-')
    .replaceAll(/\p{Cc}/gu, '')
    .trim();
  return /^\.*$/.test(name) ? [] : [name];
}

/** Why a file was not taken, as somebody reads it who has no account here. */
export function why(problem: UploadItem['problem'], owner: string, words: RequestWords, text: Text): string {
  if (problem === 'unreadable') return words.why.changed;
  if (!(problem instanceof Problem)) return words.why.other;
  switch (problem.code) {
    case 'request_full':
      return words.why.full;
    case 'link_off':
      return words.why.off;
    case 'link_ended':
    case 'no_link':
      return words.why.ended;
    case 'bad_path':
      return words.why.name;
  }
  if (problem.code === 'quota' || problem.status === 413 || problem.status === 507) return words.why.space(owner);
  if (problem.passing) return sentence(problem, text);
  return problem.detail === '' ? words.why.other : `${words.why.other} (${problem.detail})`;
}

function keyOf(name: string, size: number, modified: number): string {
  return `${size} ${modified} ${name}`;
}

function endsWith(path: readonly string[], end: readonly string[]): boolean {
  return end.every((name, index) => path[path.length - end.length + index] === name);
}
