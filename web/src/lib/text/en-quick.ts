/** Words of sending a file without an account, for who sends and for the operator. `de-quick.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enQuick = {
  title: 'Send a file without an account',
  lead: (size: string, days: number) =>
    `One file of up to ${size}. You get a link to it, which whoever has it can open, and which ends after at most ${many(days, 'day', 'days')}.`,
  signIn: 'I have an account: sign in',
  off: 'Nothing can be sent here without an account',
  offHint: 'Whoever runs this service does not offer it, or not any more. Links that were made before go on until they end.',
  ends: 'The link ends after',
  days: (n: number) => many(n, 'day', 'days'),
  runBy: (name: string) => `This is “${name}”.`,
  contact: 'It is run by:',
  noContact: 'Whoever runs it says nothing more of themselves here.',
  agree: 'By sending something you agree to the',
  terms: 'terms of this service',
  reads: 'The service can read what you send. What nobody but the receiver must read, encrypt before.',

  drop: 'Drop a file here',
  letGo: 'Let go to send it',
  chooseFiles: 'Choose a file',
  chooseFolder: 'Choose a folder',
  camera: 'Take a picture',
  one: 'Only one file at a time: the first was taken. Several can be packed into a zip before.',
  noFile: 'A folder cannot be sent. Pack it into a zip before.',
  preparing: (name: string) => `Making a place for ${name}`,
  stay: 'Leave this page open until everything is sent. If it is loaded anew, choose the same file again: what arrived is kept.',
  stopped: 'You stopped it. Nothing of it is kept.',

  sent: (name: string) => `${name} is sent`,
  linkHint: 'Whoever has this link can download the file, without an account. Copy it now: this page forgets it when its tab is closed.',
  until: (time: string) => `The link ends on ${time}, and the file is deleted then.`,
  removeTitle: 'Remove it before',
  removeAddress: 'Address for removing',
  removeHint: 'Keep this address, and give it to nobody: whoever has it can remove the file before its end. It is shown only here.',
  removeNow: 'Remove it now',
  another: 'Send another file',

  removing: 'Remove a file that was sent',
  removingHint: 'The file is deleted, and its link is dead from then on. This cannot be undone.',
  remove: 'Remove the file',
  removed: 'The file is removed. Its link is dead.',
  notThere: 'There is no such file. It was removed already, has ended, or a part of the address is missing.',
  badRemoval: 'This address has no code. Copy the whole address, with what is behind #.',

  why: {
    off: 'Nothing can be sent here without an account any more.',
    large: (size: string) => `This file is too large: up to ${size} can be sent here without an account. Nothing of it was sent.`,
    many: 'You have sent as much as is allowed for now. Try again later.',
    manyUntil: (span: string) => `You have sent as much as is allowed for now. Try again in ${span}.`,
    full: 'There is no space left for files without an account just now. Try again later, or tell whoever runs this service.',
    name: 'Its name cannot be stored. Rename it, and send it again.',
    ended: 'Its place is gone meanwhile. Send it anew.',
    changed: 'It changed or vanished on this device. Choose it again.',
    other: 'The service would not take it.',
  },

  operator: {
    title: 'Sending without an account',
    switch: 'Whoever finds this page may send a file without an account',
    hint: 'The sign-in page then offers it. Strangers fill disks and send what you would not keep: choose limits that you can bear. Reports and switching off work for these links as for all.',
    file: 'Largest file',
    days: 'A link lasts at most, in days',
    space: 'All of them together take at most',
    day: 'In a day there come at most',
    saved: 'Saved. It holds from now on.',
  },
};
export type QuickWords = typeof enQuick;
