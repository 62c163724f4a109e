/** What is done to entries, with the words that go with it: each deed says what it did, and offers the way back. */

import type { Root } from '../api/files';
import { Problem } from '../api/http';
import type { Entry } from '../api/types';
import { each, type Batch } from '../batch';
import { free, within } from '../path';
import { texts } from '../text/language.svelte';
import { sentence } from '../text/problem';
import type { Folder } from './folder.svelte';
import { questions } from './questions.svelte';
import { toasts } from './toasts.svelte';

type Path = readonly string[];

/** From how many on a deed counts aloud. */
const COUNTED_MIN = 5;

/** To the trash; `Undo` brings back. */
export async function trash(root: Root, folder: Folder, entries: readonly Entry[]): Promise<void> {
  const path = folder.path;
  const batch = await counted(entries, texts.text.did.trashing, (entry) =>
    root.trash([...path, entry.name], entry.kind),
  );
  if (folder.path === path) folder.remove(new Set(batch.done.map((entry) => entry.name)));
  const [first] = batch.done;
  if (first === undefined) return;
  toasts.say(texts.text.did.trashed(batch.done.length, first.name), {
    action: { label: texts.text.act.undo, run: () => void untrash(root, folder, path, batch.done) },
  });
}

async function untrash(root: Root, folder: Folder, path: Path, entries: readonly Entry[]): Promise<void> {
  const batch = await counted(entries, texts.text.did.restoring, (entry) => root.restore([...path, entry.name]));
  if (folder.path === path) folder.put(batch.done);
  const [first] = batch.done;
  if (first !== undefined) toasts.say(texts.text.did.restored(batch.done.length, first.name));
}

/** Moves or copies into another folder, asking about names that are taken. Only copies go `into` another tree. */
export async function transfer(
  root: Root,
  action: 'move' | 'copy',
  from: Path,
  to: Path,
  entries: readonly Entry[],
  into: Root = root,
): Promise<void> {
  const t = texts.text;
  const same = into.shared === root.shared;
  const fitting = entries.filter((entry) => !same || entry.kind === 'file' || !within(to, [...from, entry.name]));
  // In somebody else's tree it is their space that ends.
  const theirs = into.shared === null ? null : (await import('../text/grant')).GRANT_WORDS[texts.language].ownerFull;
  if (fitting.length < entries.length) toasts.say(t.did.intoItself, { bad: true });
  const ask = questions.asker(false, into);
  let left = fitting.length;
  let turn: Promise<unknown> = Promise.resolve();
  const batch = await counted(fitting, action === 'move' ? t.did.moving : t.did.copying, async (entry) => {
    const source = [...from, entry.name];
    left -= 1;
    try {
      await root.transfer(action, source, [...to, entry.name], false, into);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'exists') throw error;
      // One question at a time, though several are on their way.
      const choice = turn.then(() => ask(entry.name, to, left));
      turn = choice;
      return await resolve(root, action, source, to, await choice, into);
    }
  }, theirs);
  const words = action === 'move' ? t.did.moved : t.did.copiedTo;
  const [done, skipped] = [batch.done.length, batch.skipped.length];
  const told = [done > 0 && words(done, to.at(-1) ?? into.name ?? t.nav.files), skipped > 0 && t.did.skipped(skipped)];
  if (done + skipped > 0) toasts.say(told.filter((one) => one !== false).join(' · '));
}

async function resolve(
  root: Root,
  action: 'move' | 'copy',
  source: Path,
  to: Path,
  choice: 'keep' | 'replace' | 'skip',
  into: Root,
): Promise<false | void> {
  const name = source.at(-1) ?? '';
  if (choice === 'replace') return root.transfer(action, source, [...to, name], true, into);
  if (choice === 'skip') return false;
  // Which names are free is found by trying: a folder may be too long to be read for this.
  const taken = new Set([name]);
  for (;;) {
    const candidate = free(name, (tried) => taken.has(tried));
    taken.add(candidate);
    try {
      return await root.transfer(action, source, [...to, candidate], false, into);
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'exists') throw error;
    }
  }
}

/** Gives another name; returns whether it worked. */
export async function rename(root: Root, folder: Folder, entry: Entry, name: string): Promise<boolean> {
  const path = folder.path;
  try {
    await root.transfer('move', [...path, entry.name], [...path, name]);
  } catch (error) {
    toasts.say(sentence(error, texts.text), { bad: true });
    return false;
  }
  if (folder.path !== path) return true;
  folder.remove(new Set([entry.name]));
  folder.put([{ ...entry, name }]);
  return true;
}

/** Makes a folder with a free name near the wanted one; returns its name. */
export async function makeFolder(root: Root, folder: Folder, wanted: string): Promise<string | null> {
  const path = folder.path;
  const name = free(wanted, (candidate) => folder.has(candidate));
  try {
    await root.makeFolder([...path, name]);
  } catch (error) {
    toasts.say(sentence(error, texts.text), { bad: true });
    return null;
  }
  const made: Entry = {
    name,
    kind: 'folder',
    size: 0,
    modified: new Date().toISOString(),
    media_type: null,
    etag: null,
    state: null,
    proven: null,
  };
  if (folder.path === path) folder.put([made]);
  return name;
}

/** Does the same to many, and says how far it is and what did not work. */
export async function counted<T>(
  items: readonly T[],
  words: (done: number, all: number) => string,
  work: (item: T) => Promise<false | void>,
  /** What is said where there was no space, if that is not this account's. */
  full: string | null = null,
): Promise<Batch<T>> {
  let toast = 0;
  const batch = await each(items, work, (done) => {
    if (items.length >= COUNTED_MIN && done < items.length) toast = toasts.update(toast, words(done, items.length));
  });
  toasts.drop(toast);
  if (batch.failed.length > 0) {
    const t = texts.text;
    const theirs = full !== null && batch.problem instanceof Problem && batch.problem.code === 'quota';
    toasts.say(`${t.did.failedSome(batch.failed.length)}. ${theirs ? full : sentence(batch.problem, t)}`, { bad: true });
  }
  return batch;
}
