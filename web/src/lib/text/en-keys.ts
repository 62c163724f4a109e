/** Words of the list of keys in English. `de-keys.ts` has the same keys. */
export const enKeys = {
  title: 'Keyboard',
  arrows: 'Move through the list',
  range: 'Select a range',
  toggle: 'Select or unselect',
  all: 'Select all that is loaded',
  open: 'Open',
  up: 'To the folder above',
  rename: 'Rename',
  trash: 'Move to trash',
  cut: 'Cut, copy, paste',
  search: 'Search',
  find: 'Type a name to go to it',
  full: 'Full screen in the viewer',
  facts: 'Details of a picture in the viewer',
  escape: 'Close, or clear the selection',
  help: 'This list',
};
export type KeysWords = typeof enKeys;
