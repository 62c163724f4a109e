import type { MenuItem } from '../../parts/menu';
import type { Text } from '../text/en';
import type { Browser } from './browser.svelte';
import { clip } from './clip.svelte';

/** What can be done with the chosen entries: the one list behind the selection bar, "…" and the right click. */
export function actions(browser: Browser, t: Text): MenuItem[] {
  const chosen = browser.selection.chosen;
  if (chosen.length === 0) return place(browser, t);
  const single = chosen.length === 1;
  const items: (MenuItem | false)[] = [
    single && { label: t.act.open, icon: 'right', key: '↵', run: () => browser.openChosen() },
    { label: t.act.download, icon: 'download', run: () => browser.download() },
    single && { label: t.act.share, icon: 'share', run: () => browser.share() },
    single && { label: t.act.rename, icon: 'edit', key: 'F2', run: () => browser.beginRename() },
    { label: t.act.move, icon: 'move', key: 'Ctrl X', run: () => browser.askWhere('move') },
    { label: t.act.copyTo, icon: 'copy', key: 'Ctrl C', run: () => browser.askWhere('copy') },
    single && { label: t.act.details, icon: 'info', run: () => (browser.details = true) },
    { label: t.act.trash, icon: 'trash', key: 'Del', apart: true, bad: true, run: () => browser.trash() },
  ];
  return items.filter((item) => item !== false);
}

/** What can be done in the folder itself. */
export function place(browser: Browser, t: Text): MenuItem[] {
  const items: (MenuItem | false)[] = [
    { label: t.act.uploadFiles, icon: 'upload', run: () => void browser.upload(false) },
    { label: t.act.uploadFolder, icon: 'folder', run: () => void browser.upload(true) },
    { label: t.act.newFolder, icon: 'plus', run: () => void browser.makeFolder() },
    clip.held !== null && { label: t.act.paste, icon: 'copy', key: 'Ctrl V', run: () => void browser.paste() },
  ];
  return items.filter((item) => item !== false);
}
