/** Words of space that comes to its end. `de-full.ts` has the same keys. */

export const enFull = {
  almost: 'Your space is running out.',
  isFull: 'Your space is used up: new files are refused.',
  used: (used: string, all: string) => `${used} of ${all} are used:`,
  parts: (files: string, trash: string) => `${files} by files and their older versions, ${trash} by the trash.`,
  allFiles: 'all of it by files and their older versions.',
  trashGoes: 'Empty the trash: its space is free again then.',
  todo: 'Throw away what you no longer need, and then empty the trash: until then it counts.',
  ask: 'The operator of this service can give you more: ask them.',
  youCan: 'You can give yourself more under “People”.',
  current: 'Files as they are now',
  older: 'Older versions',
  trash: 'Trash',
  toTrash: 'To the trash',
  toPeople: 'To the people',
};
export type FullWords = typeof enFull;
