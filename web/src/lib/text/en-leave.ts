/** Words of deleting an account, the own one or another's. `de-leave.ts` has the same keys. */

export const enLeave = {
  title: 'Delete this account',
  lead: 'You can go at any time, and take everything with you.',
  open: 'Delete this account…',
  means: [
    'For 14 days everything goes on as it is, links too, and you can still change your mind.',
    'After that the account is erased, and with it all files, their versions and the trash, at every firm. Nobody can bring them back.',
    'Your recovery kits will open nothing then.',
  ],
  first: 'Take your files home first.',
  zip: 'Download everything as one zip',
  large: 'More than 100,000 files do not fit one zip: “Take everything home” under Account makes several.',
  command: 'Or on a command line, where it goes on after a break if you run it again:',
  act: 'Delete my account',
  done: (day: string) => `This account is erased on ${day}`,
  notice: (day: string) => `This account and all its files are erased on ${day}.`,
  until: 'Until then everything works. Take your files home, or stay.',
  home: 'Take your files home',
  stay: 'Stay',
  stayed: 'You stay, and nothing is erased',
  on: (day: string) => `erased on ${day}`,
  delete: 'Delete',
  keep: 'Take back',
  of: (name: string) => `Delete the account of ${name}`,
  keepOf: (name: string) => `Take back the deletion of ${name}`,
  meansOf: (name: string) => [
    `For 14 days everything goes on as it is for ${name}, links too, and you or they can still take it back.`,
    'After that the account is erased, and with it all files, their versions and the trash, at every firm. Nobody can bring them back.',
    'Recovery kits of this account will open nothing then.',
  ],
  told: (name: string) =>
    `${name} sees the date on every page after signing in, and how to take the files home. To stop somebody at once, suspend the account too.`,
  doneOf: (name: string) => `The account of ${name} is erased in 14 days`,
  stays: (name: string) => `${name} stays, and nothing is erased`,
};
export type LeaveWords = typeof enLeave;
