import type { Root } from '../api/files';
import { Problem } from '../api/http';
import { free, join } from '../path';
import type { Incoming } from './sources';

/** What to do with a file whose name is taken. */
export type Choice = 'keep' | 'replace' | 'skip';

/** Asks which; `more` files may raise the same question. */
export type Ask = (name: string, folder: readonly string[], more: number) => Promise<Choice>;

/** A file and where it goes. */
export interface Planned {
  root: Root;
  path: string[];
  file: File;
}

/** What goes, and how many files do not, because somebody said so. */
export interface Arranged {
  planned: Planned[];
  skipped: number;
}

/** Up to so many files are asked for one by one; for more, the folder is listed. */
const SINGLE_MAX = 12;

/** Decides where each file goes, asking about names that are taken. */
export async function arrange(
  root: Root,
  base: readonly string[],
  incoming: readonly Incoming[],
  ask: Ask,
): Promise<Arranged> {
  const known = new Names(root);
  const planned: Planned[] = [];
  let skipped = 0;
  let more = incoming.length;
  for (const { folder, files } of byFolder(base, incoming)) {
    const names = files.map(({ path }) => path.at(-1) ?? '');
    const taken = await known.among(folder, names, folder.length === base.length && files.length <= SINGLE_MAX);
    for (const { path, file } of files) {
      more -= 1;
      const name = path.at(-1) ?? file.name;
      const choice = taken.has(name) ? await ask(name, folder, more) : 'replace';
      if (choice === 'skip') {
        skipped += 1;
        continue;
      }
      const used = choice === 'keep' ? await known.all(folder) : taken;
      const final = choice === 'keep' ? free(name, (candidate) => used.has(candidate)) : name;
      used.add(final);
      planned.push({ root, path: [...folder, final], file });
    }
  }
  return { planned, skipped };
}

interface Group {
  folder: string[];
  files: Incoming[];
}

/** Files by the folder that they go to, upper folders first. */
function byFolder(base: readonly string[], incoming: readonly Incoming[]): Group[] {
  const groups = new Map<string, Group>();
  for (const one of incoming) {
    const folder = [...base, ...one.path.slice(0, -1)];
    const key = join(folder);
    const group = groups.get(key) ?? { folder, files: [] };
    group.files.push(one);
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => a.folder.length - b.folder.length);
}

/** Names that are taken, asked for once for each folder. */
class Names {
  constructor(private readonly root: Root) {}

  #listed = new Map<string, Set<string>>();
  #absent = new Set<string>();

  async among(folder: readonly string[], names: readonly string[], single: boolean): Promise<Set<string>> {
    if (!single) return this.all(folder);
    const there = await Promise.all(names.map((name) => this.root.exists([...folder, name])));
    return new Set(names.filter((_, index) => there[index]));
  }

  async all(folder: readonly string[]): Promise<Set<string>> {
    const key = join(folder);
    const known = this.#listed.get(key);
    if (known) return known;
    const names = this.#below(folder) ? new Set<string>() : await this.#read(folder);
    this.#listed.set(key, names);
    return names;
  }

  /** Whether a folder above is known not to exist, so that nothing below needs asking for. */
  #below(folder: readonly string[]): boolean {
    return folder.some((_, depth) => this.#absent.has(join(folder.slice(0, depth + 1))));
  }

  async #read(folder: readonly string[]): Promise<Set<string>> {
    const names = new Set<string>();
    let after: string | null = null;
    try {
      do {
        const page = await this.root.list(folder, after);
        for (const entry of page.entries) names.add(entry.name);
        after = page.next;
      } while (after !== null);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 404) throw error;
      this.#absent.add(join(folder));
    }
    return names;
  }
}
