import type { TrashWords } from './en-trash';

/** Words of the trash, in German. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const deTrash: TrashWords = {
  title: 'Papierkorb',
  empty: 'Der Papierkorb ist leer',
  hint: 'Was weggeworfen wurde, wartet hier und kann an seinen alten Ort zurück.',
  from: 'Aus',
  trashed: 'Weggeworfen',
  goes: 'Geht',
  never: 'Bleibt',
  days: (n) => (n === 0 ? 'heute' : `in ${many(n, 'Tag', 'Tagen')}`),
  emptyAll: 'Papierkorb leeren', emptying: 'Der Papierkorb wird geleert',
  erasesAll: 'Alles im Papierkorb wird endgültig gelöscht.',
  erases: (n) => `${many(n, 'Eintrag wird', 'Einträge werden')} endgültig gelöscht.`,
  final: 'Das lässt sich nicht rückgängig machen.',
  versionsStay: 'Ältere Versionen von Dateien, die nicht im Papierkorb sind, bleiben.',
  erase: 'Endgültig löschen', eraseOf: (name) => `„${name}“ endgültig löschen`,
  eraseFolder: 'Der Ordner wird mit allem gelöscht, was darin ist.',
  eraseFile: 'Die Datei wird mit allen ihren Versionen gelöscht.',
  erased: (n) => n === 0 ? 'Der Papierkorb war schon leer' : `${many(n, 'Eintrag', 'Einträge')} endgültig gelöscht`,
  erasedOne: (name) => `„${name}“ endgültig gelöscht`, newerFirst: 'Erst das neuere darunter',
};
