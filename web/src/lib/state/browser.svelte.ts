import type { Root } from '../api/files';
import type { Entry, Rights } from '../api/types';
import type { Sort } from '../sort';
import { pick } from '../pick';
import { folderRoute } from '../route';
import { texts } from '../text/language.svelte';
import { sentence } from '../text/problem';
import { takeFiles } from '../upload/take';
import { clip } from './clip.svelte';
import { Folder } from './folder.svelte';
import { router } from './router.svelte';
import { Selection } from './selection.svelte';
import { toasts } from './toasts.svelte';

/** Dialogs of the files view; one is open at a time. */
export type FilesDialog =
  | { kind: 'share'; path: readonly string[]; entry: Entry }
  | { kind: 'request'; path: readonly string[] }
  | { kind: 'transfer'; action: 'move' | 'copy'; entries: readonly Entry[] }
  | { kind: 'keys' };

/** The files view's state, and everything that can be done in it by pointer, menu or key. */
export class Browser {
  readonly folder: Folder;
  readonly selection = new Selection(() => this.folder.entries);
  /** Name of the entry whose name is being edited. */
  renaming: string | null = $state(null);
  dialog: FilesDialog | null = $state.raw(null);
  menu: { x: number; y: number } | null = $state.raw(null);
  details = $state(false);

  constructor(
    readonly root: Root,
    private readonly rights: () => Rights,
  ) {
    this.folder = new Folder(root.list);
  }

  /** Whether anything may be changed here; else there are no verbs for it. */
  get mayChange(): boolean {
    return this.rights() === 'write';
  }

  /** Whether the tree is this account's, to share. */
  get own(): boolean {
    return this.root.shared === null;
  }

  /** Goes to a folder, unless it is shown already. */
  show(path: readonly string[], sort: Sort): void {
    this.renaming = null;
    this.selection.reset();
    void this.folder.open(path, sort);
  }

  open(entry: Entry): void {
    const path = [...this.folder.path];
    if (entry.kind === 'folder') this.go([...path, entry.name]);
    else this.go(path, entry.name);
  }

  openChosen(): void {
    const [entry] = this.selection.chosen;
    if (entry !== undefined) this.open(entry);
  }

  up(): void {
    if (this.folder.path.length > 0) this.go(this.folder.path.slice(0, -1));
  }

  private go(path: string[], open?: string): void {
    router.go(folderRoute(this.root.shared, path, open));
  }

  trash(): void {
    if (!this.mayChange) return;
    const chosen = this.selection.chosen;
    this.selection.clear();
    if (chosen.length > 0) void does(({ trash }) => trash(this.root, this.folder, chosen));
  }

  beginRename(): void {
    if (!this.mayChange) return;
    const [entry, ...others] = this.selection.chosen;
    if (entry !== undefined && others.length === 0) this.renaming = entry.name;
  }

  /** Takes the name that was typed; an empty or unchanged one, or none, changes nothing. */
  async endRename(entry: Entry, name: string | null): Promise<void> {
    this.renaming = null;
    const wanted = name?.trim() ?? '';
    if (wanted === '' || wanted === entry.name) return;
    if (await does(({ rename }) => rename(this.root, this.folder, entry, wanted))) this.selection.name(wanted);
  }

  async makeFolder(): Promise<void> {
    const name = await does(({ makeFolder }) => makeFolder(this.root, this.folder, texts.text.list.untitled));
    if (name == null) return;
    this.selection.name(name);
    this.renaming = name;
  }

  share(): void {
    const [entry] = this.selection.chosen;
    if (entry !== undefined) this.dialog = { kind: 'share', path: [...this.folder.path, entry.name], entry };
  }

  /** Asks others for files: into the chosen folder, or into the one that is shown. */
  askForFiles(): void {
    const [entry] = this.selection.chosen;
    const path = entry === undefined ? this.folder.path : [...this.folder.path, entry.name];
    this.dialog = { kind: 'request', path };
  }

  askWhere(action: 'move' | 'copy'): void {
    const entries = this.selection.chosen;
    if (entries.length > 0) this.dialog = { kind: 'transfer', action, entries };
  }

  async transfer(
    action: 'move' | 'copy',
    entries: readonly Entry[],
    to: readonly string[],
    into: Root = this.root,
  ): Promise<void> {
    this.dialog = null;
    this.selection.clear();
    const from = this.folder.path;
    await does(({ transfer }) => transfer(this.root, action, from, to, entries, into));
    await this.folder.refresh();
  }

  /** Holds the chosen entries for pasting; returns their names, for the clipboard of the device. */
  hold(action: 'move' | 'copy'): string | null {
    const entries = this.selection.chosen;
    if (entries.length === 0 || (action === 'move' && !this.mayChange)) return null;
    clip.held = { action, root: this.root, folder: this.folder.path, entries };
    toasts.say(action === 'move' ? texts.text.did.cut(entries.length) : texts.text.did.copy(entries.length));
    return entries.map((entry) => entry.name).join('\n');
  }

  async paste(): Promise<void> {
    const held = clip.held;
    if (held === null || !this.mayChange) return;
    if (held.action === 'move' && held.root.shared !== this.root.shared) {
      const { GRANT_WORDS } = await import('../text/grant');
      toasts.say(GRANT_WORDS[texts.language].notAcross, { bad: true });
      return;
    }
    if (held.action === 'move') clip.held = null;
    const to = this.folder.path;
    await does(({ transfer }) => transfer(held.root, held.action, held.folder, to, held.entries, this.root));
    await this.folder.refresh();
  }

  async upload(folder: boolean): Promise<void> {
    const path = this.folder.path;
    await takeFiles(await pick(folder), this.root, path);
  }

  /** Fetches what is chosen: one file as it is, a folder or several entries as one zip. */
  download(): void {
    const [first, ...more] = this.selection.chosen;
    if (first === undefined) return;
    const { root } = this;
    const { path } = this.folder;
    const anchor = document.createElement('a');
    if (more.length > 0) anchor.href = root.zip(path, [first, ...more].map((entry) => entry.name));
    else if (first.kind === 'folder') anchor.href = root.zip([...path, first.name]);
    else anchor.href = root.bytes([...path, first.name]);
    anchor.download = '';
    anchor.click();
  }
}

/** Deeds come with the first one: looking at files does not need them. */
async function does<T>(work: (deeds: typeof import('./deeds')) => Promise<T>): Promise<T | undefined> {
  try {
    return await work(await import('./deeds'));
  } catch (error) {
    toasts.say(sentence(error, texts.text), { bad: true });
    return undefined;
  }
}
