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
    'In einen Ordner entpackt, ist es dort wie hier, mit einer Liste von Prüfsummen zu jedem. Ein abgebrochener Download geht da weiter, wo er aufhörte, solange sich darin nichts geändert hat. Ein Zip ist nie unvollständig: Lässt sich eines nicht bis zum Ende lesen, schlägt es fehl. Was Sie währenddessen verschieben oder umbenennen, kann fehlen: Machen Sie dann die Liste neu.',
  since: 'Nur was seither kam',
  each: 'Größe eines Zips',
  show: 'Zips zeigen',
  hide: 'Zips verbergen',
  looking: 'Sehe nach, was da ist…',
  nothing: 'Es ist noch nichts da, was man heimholen könnte.',
  nothingSince: 'Seit diesem Tag kam nichts.',
  folders: 'Ordner ohne Dateien',
  count: (zips) => (zips === 1 ? 'Ein Zip enthält alles.' : `${zips} Zips enthalten alles.`),
  files: (count, first, last) => (count === 1 ? `1 Datei: ${first}` : `${count} Dateien: ${first} bis ${last}`),
  started: (time) => `begonnen ${time}`,
};
