/** Words of links, as guests see them. `de-guest.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enGuest = {
  from: (owner: string) => `Shared by ${owner}`,
  unowned: 'Sent without an account',
  until: (day: string) => `until ${day}`,
  left: (n: number) => `${many(n, 'download', 'downloads')} left`,
  download: 'Download',
  downloadAll: 'Download all',
  locked: 'This link has a password',
  password: 'Password',
  lockedHint: 'Whoever gave you the link knows it.',
  unlock: 'Open',
  wrong: 'That is not the password.',
  ended: 'This link has ended',
  endedHint: 'It expired, reached its limit, or its owner stopped sharing. Ask them for a new one.',
  none: 'There is no such link',
  noneHint: 'Part of the address may be missing. Ask for it again.',
  noPreview: 'No preview, since each one would count as a download.',
  report: 'Report this',
};
export type GuestWords = typeof enGuest;
