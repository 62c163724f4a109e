import type { LoginWords } from './en-login';

/** Words of signing in, in German. */
export const deLogin: LoginWords = {
  title: 'Anmelden',
  name: 'Name',
  nameOrMail: 'Name oder Mailadresse',
  password: 'Passwort',
  enter: 'Anmelden',
  forgotten: 'Passwort vergessen?',
  byInvitation: 'Konten gibt es auf Einladung.',
  bad: 'Name oder Passwort stimmt nicht.',
  tooMany: (span) => `Zu viele Versuche. Noch einmal in ${span}; Ihrem Konto ist nichts geschehen.`,
  motto: 'Dateien, die ihre Hosting-Firmen überleben.',
};
