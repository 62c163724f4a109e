/** Keys of the files view. Nothing here is a bare letter: those go to names. */

import type { Browser } from './state/browser.svelte';

/** Whether a key is meant for something that is typed into, or for what lies above the view. */
export function isElsewhere(event: Event): boolean {
  const target = event.target;
  if (document.querySelector('dialog[open], [role="menu"]') !== null) return true;
  return target instanceof HTMLElement && target.closest('input, textarea, select, dialog') !== null;
}

/** Does what a key stands for; returns whether it stands for anything. */
export function press(event: KeyboardEvent, browser: Browser): boolean {
  const control = event.ctrlKey || event.metaKey;
  switch (event.key) {
    case 'F2':
      browser.beginRename();
      return true;
    case 'Delete':
      browser.trash();
      return true;
    case 'Escape':
      browser.selection.clear();
      browser.details = false;
      return true;
    case 'Backspace':
      browser.up();
      return true;
    case '?':
      browser.dialog = { kind: 'keys' };
      return true;
    case 'ArrowUp':
      if (!event.altKey) return false;
      browser.up();
      return true;
    case 'a':
      if (!control) return false;
      browser.selection.all();
      return true;
    default:
      return false;
  }
}
