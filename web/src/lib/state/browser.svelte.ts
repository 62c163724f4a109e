import * as files from '../api/files';
import type { Entry } from '../api/types';
import type { Sort } from '../sort';
import { pick } from '../pick';
import { texts } from '../text/language.svelte';
import { receiveFiles } from '../upload/receive';
import { clip } from './clip.svelte';
import * as deeds from './deeds';
import { Folder } from './folder.svelte';
import { router } from './router.svelte';
import { Selection } from './selection.svelte';
import { toasts } from './toasts.svelte';

/** Dialogs of the files view; one is open at a time. */
export type FilesDialog =
  | { kind: 'share'; path: readonly string[] }
  | { kind: 'transfer'; action: 'move' | 'copy'; entries: readonly Entry[] }
  | { kind: 'keys' };

/** The files view's state, and everything that can be done in it by pointer, menu or key. */
export class Browser {
  readonly folder = new Folder(files.list);
  readonly selection = new Selection(() => this.folder.entries);
  /** Name of the entry whose name is being edited. */
  renaming: string | null = $state(null);
  dialog: FilesDialog | null = $state.raw(null);
  menu: { x: number; y: number } | null = $state.raw(null);
  details = $state(false);

  /** Goes to a folder, unless it is shown already. */
  show(path: readonly string[], sort: Sort): void {
    this.renaming = null;
    this.selection.reset();
    void this.folder.open(path, sort);
  }

  open(entry: Entry): void {
    const path = [...this.folder.path];
    if (entry.kind === 'folder') router.go({ view: 'files', path: [...path, entry.name] });
    else router.go({ view: 'files', path, open: entry.name });
  }

  openChosen(): void {
    const [entry] = this.selection.chosen;
    if (entry !== undefined) this.open(entry);
  }

  up(): void {
    if (this.folder.path.length > 0) router.go({ view: 'files', path: this.folder.path.slice(0, -1) });
  }

  trash(): void {
    const chosen = this.selection.chosen;
    this.selection.clear();
    if (chosen.length > 0) void deeds.trash(this.folder, chosen);
  }

  beginRename(): void {
    const [entry, ...others] = this.selection.chosen;
    if (entry !== undefined && others.length === 0) this.renaming = entry.name;
  }

  /** Takes the name that was typed; an empty or unchanged one, or none, changes nothing. */
  async endRename(entry: Entry, name: string | null): Promise<void> {
    this.renaming = null;
    const wanted = name?.trim() ?? '';
    if (wanted === '' || wanted === entry.name) return;
    if (await deeds.rename(this.folder, entry, wanted)) this.selection.name(wanted);
  }

  async makeFolder(): Promise<void> {
    const name = await deeds.makeFolder(this.folder, texts.text.list.untitled);
    if (name === null) return;
    this.selection.name(name);
    this.renaming = name;
  }

  share(): void {
    const [entry] = this.selection.chosen;
    if (entry !== undefined) this.dialog = { kind: 'share', path: [...this.folder.path, entry.name] };
  }

  askWhere(action: 'move' | 'copy'): void {
    const entries = this.selection.chosen;
    if (entries.length > 0) this.dialog = { kind: 'transfer', action, entries };
  }

  async transfer(action: 'move' | 'copy', entries: readonly Entry[], to: readonly string[]): Promise<void> {
    this.dialog = null;
    this.selection.clear();
    await deeds.transfer(action, this.folder.path, to, entries);
    await this.folder.refresh();
  }

  /** Holds the chosen entries for pasting; returns their names, for the clipboard of the device. */
  hold(action: 'move' | 'copy'): string | null {
    const entries = this.selection.chosen;
    if (entries.length === 0) return null;
    clip.held = { action, folder: this.folder.path, entries };
    toasts.say(action === 'move' ? texts.text.did.cut(entries.length) : texts.text.did.copy(entries.length));
    return entries.map((entry) => entry.name).join('\n');
  }

  async paste(): Promise<void> {
    const held = clip.held;
    if (held === null) return;
    if (held.action === 'move') clip.held = null;
    await deeds.transfer(held.action, held.folder, this.folder.path, held.entries);
    await this.folder.refresh();
  }

  async upload(folder: boolean): Promise<void> {
    const path = this.folder.path;
    await receiveFiles(await pick(folder), path);
  }

  /** Fetches what is chosen: one file as it is, a folder or several entries as one zip. */
  download(): void {
    const [first, ...more] = this.selection.chosen;
    if (first === undefined) return;
    const { path } = this.folder;
    const anchor = document.createElement('a');
    if (more.length > 0) anchor.href = files.zip(path, [first, ...more].map((entry) => entry.name));
    else if (first.kind === 'folder') anchor.href = files.zip([...path, first.name]);
    else anchor.href = files.bytes([...path, first.name]);
    anchor.download = '';
    anchor.click();
  }
}
