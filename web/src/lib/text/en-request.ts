/** Words of file requests in English: asking, the guest's page, the list of links. `de-request.ts` has the same keys. */
const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;

export const enRequest = {
  title: (folder: string) => `Ask for files: ${folder}`,
  lead: 'You get a link. Whoever has it can put files into this folder, without an account, and sees nothing of what is in it.',
  looking: 'Looking for a link that there is already',
  words: 'What do you ask for?',
  wordsHint: 'The photos of Saturday, please',
  limit: 'Limit how many files',
  files: 'Files at most',
  make: 'Make the link',
  isCopied: 'The link is copied. Whoever has it can put files into this folder, and sees nothing of what is in it.',
  notCopied:
    'Whoever has this link can put files into this folder, and sees nothing of what is in it. Press Ctrl+C to copy it.',
  another: 'Make another link',
  stop: 'Receive no more',
  stopped: 'This link receives nothing more. What came stays in the folder.',
  receives: 'receives files',
  received: 'Received',

  offMeans: (day: string) => `Switched off by the operator since ${day}: nobody can open this link.`,
  offKept: 'Your files are not touched.',
  offAsk: 'Ask the operator why, and what has to change.',
  offContact: 'How to reach the operator:',

  guestOff: 'This link is switched off',
  guestOffHint: 'The operator of this service has switched it off. What lies behind it is kept. Ask whoever gave you the link.',

  asks: (owner: string) => `${owner} asks you for files`,
  into: (folder: string) => `into the folder “${folder}”`,
  until: (day: string) => `until ${day}`,
  room: (n: number) => (n === 0 ? 'no more files' : `${many(n, 'more file', 'more files')}`),
  fullTitle: 'Enough files have come',
  full: 'As many files have come as were asked for. Nothing more is taken.',
  name: 'Your name (optional)',
  nameHint: 'Your files then go into a folder of that name.',
  badName: 'A slash cannot be in it; it becomes a dash.',
  drop: 'Drop files or folders here',
  letGo: 'Let go to send them',
  chooseFiles: 'Choose files',
  chooseFolder: 'Choose a folder',
  camera: 'Take a picture',
  blind: 'What you send cannot be looked at here afterwards, not even by you. Keep your own copy.',
  stay: 'Leave this page open until everything is sent. If it closes, open the link again and choose the same files: what arrived is kept.',
  emptyFolder: 'There is no file in it. Empty folders cannot be sent.',

  sent: (n: number) => `${many(n, 'file', 'files')} sent`,
  nothingSent: 'Nothing was sent',
  failed: (n: number) => `${n.toLocaleString('en')} failed`,
  stoppedSome: (n: number) => `${many(n, 'file', 'files')} you stopped yourself`,
  because: (n: number, why: string) => `${many(n, 'file', 'files')}: ${why}`,
  andMore: (n: number) => `and ${n.toLocaleString('en')} more`,
  thanks: (owner: string) => `${owner} has them now. You can close this page.`,
  again: 'Try the failed ones again',

  why: {
    full: 'As many files have come as were asked for.',
    ended: 'The link has ended meanwhile. Ask for a new one.',
    off: 'The operator has switched the link off meanwhile.',
    space: (owner: string) => `There is no space left. Tell ${owner}; what was sent before is kept.`,
    name: 'A name in its path cannot be stored. Rename it, and send it again.',
    changed: 'It changed or vanished on this device. Choose it again.',
    other: 'The service would not take it.',
  },
};
export type RequestWords = typeof enRequest;
