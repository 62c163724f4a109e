/** Words of the trash. `de-trash.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enTrash = {
  title: 'Trash',
  empty: 'The trash is empty',
  hint: 'What is thrown away waits here and can be restored to its old place.',
  from: 'From',
  trashed: 'Thrown away',
  goes: 'Goes',
  never: 'Stays',
  days: (n: number) => (n === 0 ? 'today' : `in ${many(n, 'day', 'days')}`),
  emptyAll: 'Empty the trash',
  emptying: 'Emptying the trash',
  erasesAll: 'Everything in the trash is erased for good.',
  erases: (n: number) => `${many(n, 'entry is', 'entries are')} erased for good.`,
  final: 'This cannot be undone.',
  versionsStay: 'Older versions of files that are not in the trash stay.',
  erase: 'Delete for good',
  eraseOf: (name: string) => `Delete “${name}” for good`,
  eraseFolder: 'The folder is erased with everything in it.',
  eraseFile: 'The file is erased with all its versions.',
  erased: (n: number) =>
    n === 0 ? 'The trash was empty already' : `Erased ${many(n, 'entry', 'entries')} for good`,
  erasedOne: (name: string) => `Erased “${name}” for good`,
  newerFirst: 'First the newer one below',
};
export type TrashWords = typeof enTrash;
