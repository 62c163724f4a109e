import type { PasskeyWords } from './en-passkey';

/** Words of passkeys, in German. */
export const dePasskey: PasskeyWords = {
  enter: 'Mit einem Passkey anmelden',
  title: 'Passkeys',
  why: 'Ein Passkey öffnet Ihr Konto ohne Passwort und Code. Er bleibt in Ihrem Gerät oder Ihrem Passwortspeicher, zeigt sich nur diesem Dienst, und niemand kann ihn Ihnen entlocken.',
  add: 'Passkey hinzufügen',
  adding: 'Zeigen Sie zuerst, dass dies Ihr Konto ist. Dann fragt der Browser, wo der Passkey bleiben soll.',
  go: 'Weiter',
  label: 'Wie er heißt',
  labelHint: 'Damit Sie später wissen, welcher es ist.',
  none: 'Sie haben noch keinen Passkey.',
  made: (day) => `gemacht ${day}`,
  used: (day) => `zuletzt benutzt ${day}`,
  neverUsed: 'noch nicht benutzt',
  elsewhere: (host) => `öffnet nur bei ${host}`,
  added: (label) => `Der Passkey „${label}“ ist hinzugefügt`,
  rename: 'Umbenennen',
  renameOf: (label) => `Den Passkey „${label}“ umbenennen`,
  renamed: (label) => `Er heißt jetzt „${label}“`,
  remove: 'Entfernen',
  removeOf: (label) => `Den Passkey „${label}“ entfernen`,
  removeMeans:
    'Von da an öffnet er Ihr Konto nicht mehr. Alle anderen Browser werden dabei abgemeldet. Auf dem Gerät steht er noch, bis Sie ihn dort löschen; er bewirkt nichts.',
  removed: (label) => `Der Passkey „${label}“ ist entfernt`,
  hindrance: {
    insecure: 'Passkeys brauchen eine verschlüsselte Verbindung: Öffnen Sie diesen Dienst unter einer Adresse, die mit https beginnt.',
    number: 'Passkeys gehören zum Namen eines Dienstes, und Sie haben diesen unter einer Nummer erreicht. Öffnen Sie ihn unter seinem Namen.',
    browser: 'Dieser Browser kennt keine Passkeys. Ein neuerer kennt sie.',
  },
  problem: {
    refused: 'Es wurde kein Passkey gewählt, oder es dauerte zu lange. Nichts wurde geändert: Versuchen Sie es noch einmal.',
    known: 'Dieses Gerät oder dieser Passwortspeicher hat schon einen Passkey für Ihr Konto. Wählen Sie für einen weiteren einen anderen Ort.',
    unfit: 'Der Browser erlaubt es hier nicht. Ein anderer Browser oder ein anderes Gerät vielleicht; das Passwort geht überall.',
    stopped: 'Es wurde abgebrochen. Versuchen Sie es noch einmal.',
    bad: 'Dieser Passkey öffnet hier kein Konto: Vielleicht wurde er entfernt, oder es dauerte zu lange. Versuchen Sie es noch einmal, oder melden Sie sich mit dem Passwort an.',
    unmade: (detail) => `Der Dienst hat ihn nicht genommen (${detail}). Nichts wurde geändert: Versuchen Sie es noch einmal.`,
    last: 'er ist der einzige Weg in Ihr Konto; setzen Sie erst ein Passwort, oder fügen Sie einen anderen Passkey hinzu',
    many: 'Sie haben 16 Passkeys, mehr passen nicht. Entfernen Sie einen, den Sie nicht mehr benutzen.',
  },
};
