import type { MenuItem } from '../../parts/menu';
import type { Text } from '../text/en';
import type { Browser } from './browser.svelte';
import { clip } from './clip.svelte';

/** What can be done with the chosen entries: the one list behind the selection bar, "…" and the right click. */
export function actions(browser: Browser, t: Text): MenuItem[] {
  const chosen = browser.selection.chosen;
  if (chosen.length === 0) return place(browser, t);
  const single = chosen.length === 1;
  const change = browser.mayChange;
  const items: (MenuItem | false)[] = [
    single && { label: t.act.open, icon: 'right', key: '↵', run: () => browser.openChosen() },
    { label: t.act.download, icon: 'download', run: () => browser.download() },
    single && browser.own && { label: t.act.share, icon: 'share', run: () => browser.share() },
    browser.own && chosen.every(({ kind }) => kind === 'folder') && single && asking(browser, t),
    change && single && { label: t.act.rename, icon: 'edit', key: 'F2', run: () => browser.beginRename() },
    change && { label: t.act.move, icon: 'move', key: 'Ctrl X', run: () => browser.askWhere('move') },
    // What may only be looked at can be copied to the own files.
    { label: t.act.copyTo, icon: 'copy', key: 'Ctrl C', run: () => browser.askWhere('copy') },
    single && { label: t.act.details, icon: 'info', run: () => (browser.details = true) },
    change && { label: t.act.trash, icon: 'trash', key: 'Del', apart: true, bad: true, run: () => browser.trash() },
  ];
  return items.filter((item) => item !== false);
}

/** What can be done in the folder itself. */
export function place(browser: Browser, t: Text): MenuItem[] {
  if (!browser.mayChange) return [];
  const items: (MenuItem | false)[] = [
    { label: t.act.uploadFiles, icon: 'upload', run: () => void browser.upload(false) },
    { label: t.act.uploadFolder, icon: 'folder', run: () => void browser.upload(true) },
    { label: t.act.newFolder, icon: 'plus', run: () => void browser.makeFolder() },
    // The whole tree is given to nobody, not even to be filled.
    browser.own && browser.folder.path.length > 0 && asking(browser, t),
    clip.held !== null && { label: t.act.paste, icon: 'copy', key: 'Ctrl V', run: () => void browser.paste() },
  ];
  return items.filter((item) => item !== false);
}

function asking(browser: Browser, t: Text): MenuItem {
  return { label: t.act.askFiles, icon: 'inbox', run: () => browser.askForFiles() };
}
