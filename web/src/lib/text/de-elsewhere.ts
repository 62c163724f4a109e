import type { ElsewhereWords } from './en-elsewhere';

/** Words of signing in elsewhere, in German. */
export const deElsewhere: ElsewhereWords = {
  enter: (name) => `Mit ${name} anmelden`,
  other: 'Anmelden anderswo',
  why: (name) => `Verbinden Sie Ihr Konto mit ${name}, und Sie können sich dort anmelden statt mit Name und Passwort.`,
  tie: (name) => `Mit ${name} verbinden`,
  tied: (subject, day) => `Verbunden mit ${subject} seit ${day}.`,
  tiedAlone: (day) => `Verbunden seit ${day}.`,
  gone: 'Der Betreiber hat das Anmelden anderswo abgeschaltet. Ihr Konto ist noch damit verbunden.',
  untie: 'Trennen',
  untieMeans: (name) => `Von da an öffnet ${name} Ihr Konto nicht mehr. Ihre Dateien bleiben, wie sie sind.`,
  untied: 'Ihr Konto ist nicht mehr verbunden',
  lastWay:
    'Dies ist der einzige Weg in Ihr Konto. Setzen Sie erst ein Passwort, oder fügen Sie einen Passkey hinzu; dann geht es. Nichts wurde geändert.',
  toSignIn: 'Zur Anmeldung',
  toAccount: 'Zu Ihrem Konto',
  reasons: {
    refused: {
      what: 'Dort wurden Sie nicht eingelassen',
      todo: 'Das Anmelden wurde abgebrochen oder von der anderen Seite verweigert. Versuchen Sie es noch einmal, oder melden Sie sich mit Name und Passwort an.',
    },
    no_account: {
      what: 'Hier ist noch niemand mit Ihnen verbunden',
      todo: 'Dort kennt man Sie, hier ist kein Konto mit Ihnen verbunden. Haben Sie eines, melden Sie sich mit Name und Passwort an, und verbinden Sie es auf der Seite Ihres Kontos. Wenn nicht, bitten Sie um eine Einladung.',
    },
    suspended: {
      what: 'Dieses Konto ist gesperrt',
      todo: 'Seine Dateien sind aufbewahrt. Ein Betreiber dieses Dienstes kann die Sperre aufheben.',
    },
    taken: {
      what: 'Damit ist hier schon jemand verbunden',
      todo: 'Ein anderes Konto dieses Dienstes ist damit verbunden, oder Ihres mit etwas anderem. Trennen Sie das erst, und verbinden Sie dann neu.',
    },
    failed: {
      what: 'Der andere Dienst gab keine rechte Antwort',
      todo: 'Vielleicht steht er still, oder er ist nicht richtig eingerichtet. Versuchen Sie es gleich noch einmal; bleibt es so, sagen Sie es dem Betreiber. Name und Passwort gehen trotzdem.',
    },
    expired: {
      what: 'Das hat zu lange gedauert',
      todo: 'Das Anmelden muss in einigen Minuten geschehen, und im selben Browser. Fangen Sie neu an.',
    },
    again: {
      what: 'Melden Sie sich erst neu an',
      todo: 'Was verknüpft ist, öffnet Ihr Konto auf Dauer. Darum müssen Sie sich eben erst angemeldet haben: Melden Sie sich ab, wieder an, und verknüpfen Sie innerhalb von zehn Minuten.',
    },
  },
};
