/** Words around what the operator says to everybody, and of making an account. `de-about.ts` has the same keys. */

export const enAbout = {
  label: 'About this service',
  terms: 'Terms',
  imprint: 'Imprint',
  contact: 'Contact',
  back: 'Back',
  nothing: 'The operator of this service says nothing here.',
  offer: 'Make an account',
  lead: 'Choose a name and a password.',
  space: (size: string) => `Your account holds up to ${size}.`,
  agree: 'I agree to the terms of this service.',
  read: 'Read the terms',
  signIn: 'I have an account: sign in',
  notOpen: 'Accounts are made by invitation here',
  notOpenHint: 'If you were given an address, copy the whole of it, with what is behind #.',
  closed: 'This service takes no new accounts now.',
  closedTitle: 'No new accounts',
  ask: 'Ask whoever runs it:',
  refused: 'This service takes no new accounts any more. None was made.',
  tooMany: 'Very many accounts were made here just now. Yours was not; try again in an hour.',
  join: {
    title: 'Make your account',
    lead: 'You were invited. Choose a name and a password.',
    again: 'Password again',
    different: 'The two passwords differ.',
    enter: 'Make account',
    short: 'At least 10 characters; a few words in a row are good.',
    noCode: 'The address has no code. Copy the whole address, with what is behind #.',
  },
  reset: { title: 'Set a new password', lead: 'Your files stay as they are.', enter: 'Set password' },
};
export type AboutWords = typeof enAbout;
