import type { GuestWords } from './en-guest';

/** Words of links, as guests see them, in German. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('de')} ${n === 1 ? one : more}`;

export const deGuest: GuestWords = {
  from: (owner) => `Freigegeben von ${owner}`,
  unowned: 'Ohne Konto gesendet',
  until: (day) => `bis ${day}`,
  left: (n) => `noch ${many(n, 'Download', 'Downloads')}`,
  download: 'Herunterladen',
  downloadAll: 'Alles herunterladen',
  locked: 'Dieser Link hat ein Passwort',
  password: 'Passwort',
  lockedHint: 'Wer Ihnen den Link gab, kennt es.',
  unlock: 'Öffnen',
  wrong: 'Das ist nicht das Passwort.',
  ended: 'Dieser Link ist zu Ende',
  endedHint:
    'Er ist abgelaufen, hat seine Grenze erreicht, oder die Freigabe wurde beendet. Bitten Sie um einen neuen.',
  none: 'Diesen Link gibt es nicht',
  noneHint: 'Vielleicht fehlt ein Teil der Adresse. Bitten Sie noch einmal darum.',
  noPreview: 'Keine Vorschau, denn jede würde als Download zählen.',
  report: 'Dies melden',
};
