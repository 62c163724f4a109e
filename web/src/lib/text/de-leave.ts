import type { LeaveWords } from './en-leave';

/** Words of deleting an account, in German. */
export const deLeave: LeaveWords = {
  title: 'Dieses Konto löschen',
  lead: 'Sie können jederzeit gehen und alles mitnehmen.',
  open: 'Dieses Konto löschen…',
  means: [
    '14 Tage lang geht alles weiter wie bisher, auch Links, und Sie können es sich noch anders überlegen.',
    'Danach wird das Konto vernichtet, und mit ihm alle Dateien, ihre Versionen und der Papierkorb, bei jeder Firma. Niemand kann sie zurückholen.',
    'Ihre Rettungsblätter öffnen dann nichts mehr.',
  ],
  first: 'Holen Sie Ihre Dateien vorher heim.',
  zip: 'Alles als ein Zip herunterladen',
  large: 'Mehr als 100.000 Dateien passen nicht in ein Zip: „Alles heimholen“ unter Konto macht mehrere.',
  command: 'Oder auf der Befehlszeile, wo es nach einem Abbruch weitergeht, wenn man es noch einmal aufruft:',
  act: 'Mein Konto löschen',
  done: (day) => `Dieses Konto wird am ${day} vernichtet`,
  notice: (day) => `Dieses Konto und alle seine Dateien werden am ${day} vernichtet.`,
  until: 'Bis dahin geht alles. Holen Sie Ihre Dateien heim, oder bleiben Sie.',
  home: 'Dateien heimholen',
  stay: 'Bleiben',
  stayed: 'Sie bleiben, und nichts wird vernichtet',
  on: (day) => `wird vernichtet am ${day}`,
  delete: 'Löschen',
  keep: 'Zurücknehmen',
  of: (name) => `Das Konto von ${name} löschen`,
  keepOf: (name) => `Zurücknehmen: das Löschen von ${name}`,
  meansOf: (name) => [
    `14 Tage lang geht für ${name} alles weiter wie bisher, auch Links, und Sie beide können es noch zurücknehmen.`,
    'Danach wird das Konto vernichtet, und mit ihm alle Dateien, ihre Versionen und der Papierkorb, bei jeder Firma. Niemand kann sie zurückholen.',
    'Rettungsblätter dieses Kontos öffnen dann nichts mehr.',
  ],
  told: (name) =>
    `${name} sieht das Datum nach dem Anmelden auf jeder Seite, und wie man die Dateien heimholt. Wer sofort aufhören soll, wird außerdem gesperrt.`,
  doneOf: (name) => `Das Konto von ${name} wird in 14 Tagen vernichtet`,
  stays: (name) => `${name} bleibt, und nichts wird vernichtet`,
};
