import type { AboutWords } from './en-about';

/** Words around what the operator says to everybody, and of making an account, in German. */
export const deAbout: AboutWords = {
  label: 'Über diesen Dienst',
  terms: 'Bedingungen',
  imprint: 'Impressum',
  contact: 'Kontakt',
  back: 'Zurück',
  nothing: 'Der Betreiber dieses Dienstes sagt hier nichts.',
  offer: 'Konto anlegen',
  lead: 'Wählen Sie einen Namen und ein Passwort.',
  space: (size) => `Ihr Konto fasst bis zu ${size}.`,
  agree: 'Ich bin mit den Bedingungen dieses Dienstes einverstanden.',
  read: 'Bedingungen lesen',
  signIn: 'Ich habe ein Konto: anmelden',
  notOpen: 'Konten gibt es hier auf Einladung',
  notOpenHint: 'Haben Sie eine Adresse bekommen, so kopieren Sie sie ganz, mit dem, was hinter # steht.',
  closed: 'Dieser Dienst nimmt zurzeit keine neuen Konten an.',
  closedTitle: 'Keine neuen Konten',
  ask: 'Fragen Sie den, der ihn betreibt:',
  refused: 'Dieser Dienst nimmt keine neuen Konten mehr an. Es wurde keines angelegt.',
  tooMany: 'Hier wurden eben sehr viele Konten angelegt. Ihres nicht; versuchen Sie es in einer Stunde noch einmal.',
  join: {
    title: 'Ihr Konto anlegen',
    lead: 'Sie wurden eingeladen. Wählen Sie einen Namen und ein Passwort.',
    again: 'Passwort noch einmal',
    different: 'Die beiden Passwörter sind verschieden.',
    enter: 'Konto anlegen',
    short: 'Mindestens 10 Zeichen; einige Wörter hintereinander sind gut.',
    noCode: 'Der Adresse fehlt der Code. Kopieren Sie die ganze Adresse, mit dem, was hinter # steht.',
  },
  reset: { title: 'Neues Passwort setzen', lead: 'Ihre Dateien bleiben, wie sie sind.', enter: 'Passwort setzen' },
};
