/** Words of the search view. `de-search.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enSearch = {
  stop: 'Stop',
  kind: 'Kind',
  any: 'Everything',
  kinds: {
    folder: 'Folders',
    image: 'Pictures',
    video: 'Videos',
    audio: 'Music and sound',
    document: 'Documents',
    other: 'Other',
  },
  since: 'Changed since',
  least: 'Larger than',
  anySize: 'Any size',
  where: 'Where',
  everywhere: 'Everywhere',
  results: 'Found',
  inFolder: (folder: string) => `In ${folder}: open the folder`,
  found: (n: number) => `${n.toLocaleString('en')} found`,
  looking: (n: number) => (n === 0 ? 'The search begins' : `looked at ${many(n, 'name', 'names')}, going on`),
  looked: (n: number) => `looked at ${many(n, 'name', 'names')}`,
  notAll: 'not all yet',
  goOn: 'Go on searching',
  none: 'Nothing was found',
  tryThis:
    'Every word must be in a name: try fewer or shorter words, or only a part of one. What is in the trash is not searched.',
  widen: 'Search everywhere, without filters',
  nothingAsked: 'Type a word of the name, or choose a filter.',
};
export type SearchWords = typeof enSearch;
