/** Wörter der Tastenliste; `en-keys.ts` gibt die Schlüssel vor. */
import type { KeysWords } from './en-keys';

export const deKeys: KeysWords = {
  title: 'Tastatur',
  arrows: 'Durch die Liste',
  range: 'Bereich auswählen',
  toggle: 'Auswählen oder abwählen',
  all: 'Alles Geladene auswählen',
  open: 'Öffnen',
  up: 'In den Ordner darüber',
  rename: 'Umbenennen',
  trash: 'In den Papierkorb',
  cut: 'Ausschneiden, kopieren, einfügen',
  search: 'Suchen',
  find: 'Einen Namen tippen, um hinzuspringen',
  full: 'Vollbild in der Ansicht',
  facts: 'Einzelheiten zu einem Bild in der Ansicht',
  escape: 'Schließen, oder Auswahl aufheben',
  help: 'Diese Liste',
};
