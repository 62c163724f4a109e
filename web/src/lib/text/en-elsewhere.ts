/** Words of signing in elsewhere, at a service that knows the reader already. `de-elsewhere.ts` has the same keys. */
export const enElsewhere = {
  enter: (name: string) => `Sign in with ${name}`,
  other: 'Signing in elsewhere',
  why: (name: string) => `Tie your account to ${name}, and you can sign in there in place of name and password.`,
  tie: (name: string) => `Tie to ${name}`,
  tied: (subject: string, day: string) => `Tied to ${subject} since ${day}.`,
  tiedAlone: (day: string) => `Tied since ${day}.`,
  gone: 'The operator has switched signing in elsewhere off. Your account is still tied to it.',
  untie: 'Untie',
  untieMeans: (name: string) => `From then on ${name} no longer opens your account. Your files stay as they are.`,
  untied: 'Your account is no longer tied',
  lastWay:
    'This is the only way into your account. Set a password or add a passkey first; then it can be untied. Nothing was changed.',
  toSignIn: 'To sign in',
  toAccount: 'To your account',
  /** Why it did not work: what happened, and what to do. */
  reasons: {
    refused: {
      what: 'You were not let in there',
      todo: 'Signing in was broken off, or refused at the other end. Try again, or sign in with name and password.',
    },
    no_account: {
      what: 'Nobody here is tied to you yet',
      todo: 'You are known there, but no account here is tied to you. If you have one, sign in with name and password, and tie it on the page of your account. If not, ask for an invitation.',
    },
    suspended: {
      what: 'This account is suspended',
      todo: 'Its files are kept. An operator of this service can lift it.',
    },
    taken: {
      what: 'Somebody here is tied to this already',
      todo: 'Another account of this service is tied to the same identity, or yours to another one. Untie that first, then tie again.',
    },
    failed: {
      what: 'The other service gave no proper answer',
      todo: 'It may be down, or not be set up as it should be. Try again in a moment; if it stays so, tell the operator. Name and password work all the same.',
    },
    expired: {
      what: 'That took too long',
      todo: 'Signing in has to be done within some minutes, and in the same browser. Begin again.',
    },
    again: {
      what: 'Sign in again first',
      todo: 'What is tied opens your account for good, so it takes that you have signed in just now. Sign out, sign in, and tie within ten minutes.',
    },
  },
};
export type ElsewhereWords = typeof enElsewhere;
