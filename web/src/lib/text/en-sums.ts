/** Words of checksums. `de-sums.ts` has the same keys. */

export const enSums = {
  title: 'Checksums',
  check: 'To check a downloaded file:',
  file: 'FILE',
  or: 'or',
  same: 'must print the same digits.',
  current: 'Current version',
  of: (time: string) => `Version of ${time}`,
};
export type SumsWords = typeof enSums;
