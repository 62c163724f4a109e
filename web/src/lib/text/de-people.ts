import type { PeopleWords } from './en-people';

/** Words of other people's accounts, in German. */
export const dePeople: PeopleWords = {
  people: {
    title: 'Leute',
    accounts: 'Konten',
    invitations: 'Einladungen',
    invite: 'Einladen',
    role: 'Rolle',
    user: 'Nutzer',
    operator: 'Betreiber',
    valid: 'Gültig für Tage',
    none: 'Keine offenen Einladungen',
    link: 'Geben Sie diese Adresse einem Menschen. Sie gilt einmal.',
    resetLink: (name) => `Geben Sie diese Adresse ${name}. Sie setzt einmal ein neues Passwort.`,
    since: (day) => `seit ${day}`,
    suspended: (day) => `gesperrt ${day}`,
    suspend: 'Sperren',
    reinstate: 'Entsperren',
    reset: 'Neues Passwort',
    until: (day) => `bis ${day}`,
    withdraw: 'Zurückziehen',
    limit: 'Platz',
    hasFactor: 'zweiter Faktor',
    removeFactor: 'Zweiten Faktor entfernen',
    removeFactorOf: (name) => `Zweiten Faktor von ${name} entfernen`,
    removeMeans: (name) =>
      `Danach öffnet allein das Passwort das Konto von ${name}, bis dort wieder ein zweiter Faktor eingeschaltet wird. Die Codes aus der App und die Einmalcodes gelten nicht mehr.`,
    removeCheck:
      'Tun Sie es nur, wenn Sie sicher sind, wer darum bittet: Wer ein Passwort gestohlen hat, bittet genau darum.',
    factorRemoved: (name) => `${name} meldet sich jetzt allein mit dem Passwort an`,
  },
  quota: {
    title: (name) => `Platz für ${name}`,
    none: 'Ohne Grenze',
    limit: 'Mit Grenze',
    amount: 'Höchstens',
    unit: 'Einheit',
    below: 'Das ist weniger, als schon belegt ist. Nichts wird gelöscht, aber Neues wird abgewiesen.',
    set: (name, size) => `${name} darf jetzt ${size} belegen`,
    lifted: (name) => `${name} hat jetzt keine Grenze`,
  },
};
