/** Wörter der Dateianfragen; `en-request.ts` gibt die Schlüssel vor. */
import type { RequestWords } from './en-request';

const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const deRequest: RequestWords = {
  title: (folder) => `Um Dateien bitten: ${folder}`,
  lead: 'Sie bekommen einen Link. Wer ihn hat, kann ohne Konto Dateien in diesen Ordner legen und sieht nichts von dem, was darin ist.',
  looking: 'Es wird nachgesehen, ob es schon einen Link gibt',
  words: 'Worum bitten Sie?',
  wordsHint: 'Die Bilder von Samstag, bitte',
  limit: 'Zahl der Dateien begrenzen',
  files: 'Höchstens so viele Dateien',
  make: 'Link machen',
  isCopied:
    'Der Link ist kopiert. Wer ihn hat, kann Dateien in diesen Ordner legen und sieht nichts von dem, was darin ist.',
  notCopied:
    'Wer diesen Link hat, kann Dateien in diesen Ordner legen und sieht nichts von dem, was darin ist. Strg+C kopiert ihn.',
  another: 'Noch einen Link machen',
  stop: 'Nichts mehr annehmen',
  stopped: 'Dieser Link nimmt nichts mehr an. Was kam, bleibt im Ordner.',
  receives: 'nimmt Dateien an',
  received: 'Angekommen',

  offMeans: (day) => `Vom Betreiber abgeschaltet seit ${day}: Niemand kann diesen Link öffnen.`,
  offKept: 'Ihre Dateien sind unberührt.',
  offAsk: 'Fragen Sie den Betreiber nach dem Grund, und was sich ändern muss.',
  offContact: 'So erreichen Sie den Betreiber:',

  guestOff: 'Dieser Link ist abgeschaltet',
  guestOffHint:
    'Der Betreiber dieses Dienstes hat ihn abgeschaltet. Was dahinter liegt, ist aufbewahrt. Fragen Sie, wer Ihnen den Link gab.',

  asks: (owner) => `${owner} bittet Sie um Dateien`,
  into: (folder) => `in den Ordner „${folder}“`,
  until: (day) => `bis ${day}`,
  room: (n) => (n === 0 ? 'keine weiteren Dateien' : `noch ${many(n, 'Datei', 'Dateien')}`),
  fullTitle: 'Es sind genug Dateien gekommen',
  full: 'Es sind so viele Dateien gekommen, wie erbeten waren. Weitere werden nicht angenommen.',
  name: 'Ihr Name (freiwillig)',
  nameHint: 'Ihre Dateien kommen dann in einen Ordner dieses Namens.',
  badName: 'Ein Schrägstrich kann nicht darin sein; er wird zum Strich.',
  drop: 'Dateien oder Ordner hier ablegen',
  letGo: 'Loslassen schickt sie ab',
  chooseFiles: 'Dateien wählen',
  chooseFolder: 'Ordner wählen',
  camera: 'Bild aufnehmen',
  blind: 'Was Sie schicken, ist hier danach nicht mehr zu sehen, auch für Sie nicht. Behalten Sie Ihre eigene Kopie.',
  stay: 'Lassen Sie diese Seite offen, bis alles geschickt ist. Schließt sie sich, öffnen Sie den Link noch einmal und wählen Sie dieselben Dateien: Was ankam, ist aufbewahrt.',
  emptyFolder: 'Darin ist keine Datei. Leere Ordner lassen sich nicht schicken.',

  sent: (n) => `${many(n, 'Datei', 'Dateien')} geschickt`,
  nothingSent: 'Nichts wurde geschickt',
  failed: (n) => `${n.toLocaleString('de')} misslungen`,
  stoppedSome: (n) => `${many(n, 'Datei', 'Dateien')} haben Sie selbst abgebrochen`,
  because: (n, why) => `${many(n, 'Datei', 'Dateien')}: ${why}`,
  andMore: (n) => `und ${n.toLocaleString('de')} weitere`,
  thanks: (owner) => `${owner} hat sie jetzt. Sie können diese Seite schließen.`,
  again: 'Die misslungenen noch einmal',

  why: {
    full: 'Es sind so viele Dateien gekommen, wie erbeten waren.',
    ended: 'Der Link ist inzwischen zu Ende. Bitten Sie um einen neuen.',
    off: 'Der Betreiber hat den Link inzwischen abgeschaltet.',
    space: (owner) => `Es ist kein Platz mehr. Sagen Sie es ${owner}; was vorher kam, ist aufbewahrt.`,
    name: 'Ein Name in seinem Pfad lässt sich nicht aufbewahren. Benennen Sie es um und schicken Sie es noch einmal.',
    changed: 'Die Datei hat sich auf diesem Gerät geändert oder ist fort. Wählen Sie sie neu.',
    other: 'Der Dienst nahm sie nicht an.',
  },
};
