import type { SumsWords } from './en-sums';

/** Words of checksums, in German. */
export const deSums: SumsWords = {
  title: 'Prüfsummen',
  check: 'Eine heruntergeladene Datei prüfen:',
  file: 'DATEI',
  or: 'oder',
  same: 'muss dieselben Ziffern ausgeben.',
  current: 'Aktuelle Version',
  of: (time) => `Version vom ${time}`,
};
