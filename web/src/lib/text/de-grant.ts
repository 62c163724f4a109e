import type { GrantWords } from './en-grant';

/** Words of sharing with people of the same service, in German. */
export const deGrant: GrantWords = {
  rights: { read: 'kann ansehen', write: 'kann ändern' },

  people: 'Leute',
  peopleHint: 'Konten dieses Dienstes. Sie finden es unter „Mir freigegeben“.',
  toWhom: 'Name des Kontos',
  mayDo: 'Was sie können',
  give: 'Freigeben',
  given: (name) => `${name} kann es jetzt sehen`,
  rightsOf: (name) => `Was ${name} kann`,
  fileHint: 'Eine einzelne Datei kann man nur ansehen. Zum Ändern geben Sie einen Ordner frei.',
  writeHint:
    'Wer ändern kann, kann darin auch löschen: das kommt in Ihren Papierkorb. Was hinzukommt, braucht Ihren Platz.',
  changed: (name, rights) => `${name} ${rights}`,
  remove: 'Entfernen',
  removeOf: (name) => `${name} entfernen`,
  removed: (name) => `${name} sieht es nicht mehr`,
  nobody: (name) =>
    `Niemand heißt hier „${name}“. Sehen Sie nach der Schreibweise; wer kein Konto hat, kann einen Link bekommen.`,
  yourself: 'Das sind Sie. Es gehört Ihnen schon.',
  wholeTree: 'Alles auf einmal kann man nicht freigeben. Geben Sie einen Ordner darin frei.',
  link: 'Link',
  linkHint: 'Für alle, die den Link haben, ohne Konto.',
  makeLink: 'Link machen',

  title: 'Mir freigegeben',
  from: (owner) => `von ${owner}`,
  since: (day) => `seit ${day}`,
  top: (name, owner) => `${name} (von ${owner})`,
  nothing: 'Niemand gibt etwas für Sie frei',
  nothingHint: 'Was jemand von diesem Dienst für Sie freigibt, erscheint hier von selbst.',
  leave: 'Verlassen',
  leaveOf: (name) => `„${name}“ verlassen`,
  leaveWhat: (owner) =>
    `Es verschwindet aus dieser Liste, und Sie können es nicht mehr öffnen. ${owner} behält es mit allem, was darin ist, und kann es wieder freigeben.`,
  left: (name) => `„${name}“ ist nicht mehr in Ihrer Liste`,
  ended: 'Dies ist nicht mehr für Sie freigegeben',
  endedHint:
    'Wem es gehört, hat es zurückgenommen oder weggeworfen. Was Sie heruntergeladen haben, bleibt Ihnen, und alles andere geht.',
  toList: 'Zu dem, was für Sie freigegeben ist',
  ownerFull: 'Wem dieser Ordner gehört, hat keinen Platz mehr dafür. Fragen Sie dort; lesen geht weiter.',
  notAcross:
    'Zwischen Ihren Dateien und denen anderer wird nichts verschoben. Kopieren Sie es und werfen Sie das alte danach weg.',
  into: 'Wohin',
  mine: 'Meine Dateien',
  copyOf: (name) => `„${name}“ kopieren`,
  everything: (name) => `Alles in ${name}`,
  searchIn: (name) => `Suche in ${name}`,
  searchShared: 'Suche in Geteiltem',

  whatLies: (path) => `in ${path}`,
  aLink: 'Link',
  end: 'Beenden',
  endLinkOf: (name) => `Link zu ${name} beenden`,
  endLink: 'Wer den Link hat, kann ihn nicht mehr öffnen, und er geht nie wieder. Die Dateien bleiben, wo sie sind.',
  endOf: (person, name) => `Freigabe von ${name} für ${person} beenden`,
  listHint:
    'Geben Sie eine Datei oder einen Ordner über das Menü frei, für Leute dieses Dienstes oder mit einem Link. Alles davon steht hier.',
};
