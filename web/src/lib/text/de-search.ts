import type { SearchWords } from './en-search';

const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

/** Words of the search view, in German. */
export const deSearch: SearchWords = {
  stop: 'Anhalten',
  kind: 'Art',
  any: 'Alles',
  kinds: {
    folder: 'Ordner',
    image: 'Bilder',
    video: 'Videos',
    audio: 'Musik und Ton',
    document: 'Dokumente',
    other: 'Anderes',
  },
  since: 'Geändert seit',
  least: 'Größer als',
  anySize: 'Jede Größe',
  where: 'Wo',
  everywhere: 'Überall',
  results: 'Gefunden',
  inFolder: (folder) => `In ${folder}: den Ordner öffnen`,
  found: (n) => `${n.toLocaleString('de')} gefunden`,
  looking: (n) => (n === 0 ? 'Die Suche beginnt' : `${many(n, 'Name', 'Namen')} angesehen, es geht weiter`),
  looked: (n) => `${many(n, 'Name', 'Namen')} angesehen`,
  notAll: 'noch nicht alle',
  goOn: 'Weiter suchen',
  none: 'Nichts gefunden',
  tryThis:
    'Jedes Wort muss in einem Namen vorkommen: Versuchen Sie weniger oder kürzere Wörter, oder nur einen Teil. Was im Papierkorb liegt, wird nicht durchsucht.',
  widen: 'Überall und ohne Filter suchen',
  nothingAsked: 'Geben Sie ein Wort aus dem Namen ein, oder wählen Sie einen Filter.',
};
