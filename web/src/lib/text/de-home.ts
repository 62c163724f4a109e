import type { HomeWords } from './en-home';

/** Words of taking everything home, in German. */
export const deHome: HomeWords = {
  title: 'Alles heimholen',
  what: 'Alle Ihre Dateien, wie sie jetzt sind, auf einem eigenen Datenträger, so oft Sie wollen. Ältere Versionen und der Papierkorb sind nicht dabei.',
  command: 'Auf der Befehlszeile',
  login: 'Einmal dort anmelden:',
  again: 'Noch einmal aufgerufen, holt es nur, was sich geändert hat;',
  checks: 'prüft in diesem Ordner jede Datei.',
  zips: 'Im Browser, als Zips',
  zipsHint:
    'Eines für jeden obersten Ordner, und was in keinem Ordner liegt. Ein abgebrochener Download geht da weiter, wo er aufhörte, solange sich darin nichts geändert hat. Ein Zip ist nie unvollständig: Lässt sich eines nicht bis zum Ende lesen, schlägt es fehl. Holen Sie wenige zugleich.',
  show: 'Zips zeigen',
  hide: 'Zips verbergen',
  looking: 'Sehe nach, was da ist…',
  nothing: 'Es ist noch nichts da, was man heimholen könnte.',
  count: (zips) => (zips === 1 ? 'Ein Zip enthält alles.' : `${zips} Zips enthalten alles.`),
  files: (count, first, last) => (count === 1 ? `1 Datei: ${first}` : `${count} Dateien: ${first} bis ${last}`),
  started: (time) => `begonnen ${time}`,
};
