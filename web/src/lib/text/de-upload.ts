import type { UploadWords } from './en-upload';

const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

/** Words of uploads, in German. */
export const deUpload: UploadWords = {
  title: 'Hochladen',
  running: (n) => `${many(n, 'Datei wird', 'Dateien werden')} hochgeladen`,
  done: (n) => `${many(n, 'Datei', 'Dateien')} hochgeladen`,
  failed: (n) => `${n.toLocaleString('de')} misslungen`,
  skipped: (n) => `${n.toLocaleString('de')} übersprungen`,
  skippedOnly: (n) =>
    `Nichts hochgeladen: ${many(n, 'Datei wurde', 'Dateien wurden')} übersprungen, weil der Name vergeben war`,
  left: (span) => `noch ${span}`,
  rate: (rate) => `${rate}/s`,
  pause: 'Pause',
  pauseAll: 'Alles anhalten',
  resume: 'Weiter',
  resumeAll: 'Alles weiter',
  cancel: 'Abbrechen',
  retryFailed: 'Misslungene noch einmal',
  clearDone: 'Fertige ausblenden',
  fold: 'Einklappen',
  unfold: 'Ausklappen',
  copyLink: 'Link kopieren',
  reading: (n) => `Ordner werden gelesen: ${many(n, 'Datei', 'Dateien')} gefunden`,
  waiting: 'Wartet',
  paused: 'Pause',
  sending: (percent) => `${percent} %`,
  finished: 'Aufbewahrt',
  stopped: 'Abgebrochen',
  needsFile: 'Neu auswählen',
  away: (seconds) => `Der Dienst antwortet nicht. Es geht von selbst weiter; nächster Versuch in ${seconds} s.`,
  offline: 'Kein Netz. Es geht von selbst weiter, sobald es wieder da ist.',
  signedOut: 'Sie sind abgemeldet. Nach dem Anmelden geht es weiter.',
  cutOff: (n) =>
    `${many(n, 'Upload brach', 'Uploads brachen')} ab, als die Seite geschlossen wurde. Was ankam, ist aufbewahrt: Wählen Sie dieselben Dateien noch einmal, um fortzufahren.`,
  chooseFiles: 'Dateien wählen',
  chooseFolder: 'Ordner wählen',
  forget: 'Vergessen',
  noMatch: 'Keine der gewählten Dateien ist eine der abgebrochenen.',
  matched: (n) => `Weiter mit ${many(n, 'Datei', 'Dateien')}`,
  changed: 'Die Datei hat sich auf diesem Gerät geändert oder ist fort. Wählen Sie sie neu.',
  show: 'Im Ordner zeigen',
};
