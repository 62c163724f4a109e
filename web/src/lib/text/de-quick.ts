import type { QuickWords } from './en-quick';

/** Words of sending a file without an account, in German. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const deQuick: QuickWords = {
  title: 'Eine Datei ohne Konto senden',
  lead: (size, days) =>
    `Eine Datei bis ${size}. Sie bekommen einen Link darauf, den öffnen kann, wer ihn hat, und der nach höchstens ${many(days, 'Tag', 'Tagen')} endet.`,
  signIn: 'Ich habe ein Konto: anmelden',
  off: 'Ohne Konto kann hier nichts gesendet werden',
  offHint: 'Wer diesen Dienst betreibt, bietet es nicht an oder nicht mehr. Frühere Links gelten weiter, bis sie enden.',
  ends: 'Der Link endet nach',
  days: (n) => many(n, 'Tag', 'Tagen'),
  runBy: (name) => `Das ist „${name}“.`,
  contact: 'Betrieben von:',
  noContact: 'Wer ihn betreibt, sagt hier nichts weiter von sich.',
  agree: 'Wer etwas sendet, ist einverstanden mit den',
  terms: 'Bedingungen dieses Dienstes',
  reads: 'Der Dienst kann lesen, was Sie senden. Was nur der Empfänger lesen darf, verschlüsseln Sie vorher.',

  drop: 'Eine Datei hier ablegen',
  letGo: 'Loslassen, um sie zu senden',
  chooseFiles: 'Datei auswählen',
  chooseFolder: 'Ordner auswählen',
  camera: 'Bild aufnehmen',
  one: 'Immer nur eine Datei: Die erste wurde genommen. Mehrere lassen sich vorher in ein Zip packen.',
  noFile: 'Ein Ordner kann nicht gesendet werden. Packen Sie ihn vorher in ein Zip.',
  preparing: (name) => `Für ${name} wird Platz gemacht`,
  stay: 'Lassen Sie diese Seite offen, bis alles gesendet ist. Wird sie neu geladen, so wählen Sie dieselbe Datei noch einmal: Was ankam, ist noch da.',
  stopped: 'Sie haben es angehalten. Nichts davon wird behalten.',

  sent: (name) => `${name} ist gesendet`,
  linkHint: 'Wer diesen Link hat, kann die Datei ohne Konto herunterladen. Kopieren Sie ihn jetzt: Die Seite vergisst ihn, wenn ihr Tab geschlossen wird.',
  until: (time) => `Der Link endet am ${time}, und die Datei wird dann gelöscht.`,
  removeTitle: 'Früher entfernen',
  removeAddress: 'Adresse zum Entfernen',
  removeHint: 'Heben Sie diese Adresse auf und geben Sie sie niemandem: Wer sie hat, kann die Datei vor ihrem Ende entfernen. Sie steht nur hier.',
  removeNow: 'Jetzt entfernen',
  another: 'Noch eine Datei senden',

  removing: 'Eine gesendete Datei entfernen',
  removingHint: 'Die Datei wird gelöscht, und ihr Link gilt danach nicht mehr. Das lässt sich nicht zurücknehmen.',
  remove: 'Datei entfernen',
  removed: 'Die Datei ist entfernt. Ihr Link gilt nicht mehr.',
  notThere: 'Diese Datei gibt es nicht. Sie wurde schon entfernt, ist zu Ende, oder ein Teil der Adresse fehlt.',
  badRemoval: 'Die Adresse hat keinen Code. Kopieren Sie die ganze Adresse, mit dem, was hinter # steht.',

  why: {
    off: 'Ohne Konto kann hier nichts mehr gesendet werden.',
    large: (size) => `Diese Datei ist zu groß: Ohne Konto können hier bis zu ${size} gesendet werden. Nichts davon wurde gesendet.`,
    many: 'Sie haben so viel gesendet, wie vorerst erlaubt ist. Versuchen Sie es später noch einmal.',
    manyUntil: (span) => `Sie haben so viel gesendet, wie vorerst erlaubt ist. Versuchen Sie es in ${span} noch einmal.`,
    full: 'Für Dateien ohne Konto ist gerade kein Platz mehr. Versuchen Sie es später, oder sagen Sie es dem Betreiber.',
    name: 'Ihr Name kann nicht gespeichert werden. Benennen Sie sie um und senden Sie sie noch einmal.',
    ended: 'Ihr Platz ist inzwischen fort. Senden Sie sie neu.',
    changed: 'Sie hat sich auf diesem Gerät geändert oder ist verschwunden. Wählen Sie sie noch einmal.',
    other: 'Der Dienst hat sie nicht angenommen.',
  },

  operator: {
    title: 'Senden ohne Konto',
    switch: 'Wer diese Seite findet, darf eine Datei ohne Konto senden',
    hint: 'Die Anmeldeseite bietet es dann an. Fremde füllen Platten und senden, was Sie nicht behalten wollen: Wählen Sie Grenzen, die Sie tragen können. Meldungen und Abschalten gehen bei diesen Links wie bei allen.',
    file: 'Größte Datei',
    days: 'Ein Link gilt höchstens, in Tagen',
    space: 'Alle zusammen belegen höchstens',
    day: 'An einem Tag kommen höchstens',
    saved: 'Gespeichert. Es gilt ab jetzt.',
  },
};
