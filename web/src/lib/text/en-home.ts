/** Words of taking everything home, whenever one likes. `de-home.ts` has the same keys. */

export const enHome = {
  title: 'Take everything home',
  what: 'A copy of all your files as they are now, on a disk of your own, as often as you like. Older versions and the trash are not in it.',
  command: 'On a command line',
  login: 'Sign in there once:',
  again: 'Run again, it fetches only what changed;',
  checks: 'in that folder checks every file.',
  zips: 'In the browser, as zips',
  zipsHint:
    'Unpack them into one folder and it is as it is here, with a list of checksums for each. A download that breaks off goes on where it stopped, as long as nothing in it was changed since. A zip is never short: one that cannot be read to its end fails. What you move or rename meanwhile may be missing: then make the list anew.',
  since: 'Only what came since',
  each: 'Size of a zip',
  show: 'Show the zips',
  hide: 'Hide the zips',
  looking: 'Looking at what there is…',
  nothing: 'There is nothing to take home yet.',
  nothingSince: 'Nothing came since that day.',
  folders: 'Folders without files',
  count: (zips: number) => (zips === 1 ? 'One zip holds everything.' : `${zips} zips hold everything.`),
  files: (count: number, first: string, last: string) =>
    count === 1 ? `1 file: ${first}` : `${count} files: ${first} to ${last}`,
  started: (time: string) => `started ${time}`,
};
export type HomeWords = typeof enHome;
