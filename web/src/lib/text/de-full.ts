import type { FullWords } from './en-full';

/** Words of space that comes to its end, in German. */
export const deFull: FullWords = {
  almost: 'Ihr Platz geht zu Ende.',
  isFull: 'Ihr Platz ist belegt: Neues wird abgewiesen.',
  used: (used, all) => `${used} von ${all} sind belegt:`,
  parts: (files, trash) => `${files} von Dateien und ihren älteren Versionen, ${trash} vom Papierkorb.`,
  allFiles: 'alles von Dateien und ihren älteren Versionen.',
  trashGoes: 'Leeren Sie den Papierkorb: Danach ist sein Platz wieder frei.',
  todo: 'Werfen Sie fort, was Sie nicht mehr brauchen, und leeren Sie dann den Papierkorb: Bis dahin zählt es mit.',
  ask: 'Mehr Platz gibt der Betreiber dieses Dienstes: Bitten Sie darum.',
  youCan: 'Mehr Platz geben Sie sich unter „Leute“.',
  current: 'Dateien, wie sie jetzt sind',
  older: 'Ältere Versionen',
  trash: 'Papierkorb',
  toTrash: 'Zum Papierkorb',
  toPeople: 'Zu den Leuten',
};
