/** Words of recovery kits: the page on paper, and the dialog that makes and tests it. `de-kit.ts` has the same keys. */

export const enKit = {
  /** The page above its lines, at most 124 characters wide; the same as `holdfast kit make` writes. */
  page: (day: string, whom: string) => `HOLDFAST RECOVERY KIT, made on ${day}

This page brings your files home, even if the service that kept them is gone. Whoever holds it can read all of them: keep it
as you keep a passport. Print it, put one copy where you live and one somewhere else.

What to do: on any computer, get the program holdfast-rescue, save this page as a file named kit.txt, and run

    holdfast-rescue --kit kit.txt --out my-files

It asks for places where your files are kept; those that were in use when this page was made are listed below. A few of
them are enough, a copied disk will do, and any one of them names the places in use today. No account, password or
internet name of the service is needed.

Whom to ask: ${whom}; without it, anybody who is at home with
computers: this page, that program and one of the places are all they need. Show the page only to whom you trust with your files.

If you type the lines below from paper: each ends in # and a check, so that a slip is found and named. Keep upper and
lower case as they are.
`,
  /** The service by name, its operator's contact if it says one, and its address. */
  whom: (service: string, contact: string | null, address: string) =>
    `${service}${contact === null ? '' : ` (${contact})`} at ${address}, while it is there`,
  paper: {
    lines: 'The lines',
    wrapped: 'What is indented belongs to the line above it. Spaces stand only after the first colon, on both sides of | and before #.',
    qrAll: 'All lines, for a telephone or a scanner',
    qrIdentity: 'The identity line alone: all lines are too many for one code',
  },
  title: 'Recovery kit',
  step: (n: number) => `Step ${n} of 3`,
  what: {
    title: 'What a recovery kit is',
    lead: 'One printed page that brings your files home from the providers that keep them, even if this service and everybody who ran it are gone. It needs no account and no password.',
    reads: 'Whoever holds it can read all your files. Keep it as you keep a passport.',
    where: 'Print it. Put one copy where you live and one somewhere else, and none at a hosting firm or in a mailbox.',
    later: 'What you store later needs no new kit. Several kits are valid side by side, until you revoke one.',
    secret: 'Its secret is made in this browser and stands on the page alone. The service never gets it, so nobody can give you this page a second time.',
    plain: 'This page came to you without encryption (http). Whoever sits on the way could have changed it: better make the kit over https.',
    make: 'Make the kit',
    making: 'The service is sealing your files’ key for the kit too. This takes a few seconds.',
  },
  keep: {
    title: 'Keep it',
    lead: (id: string) => `Kit ${id} is made. It is shown only now: print it, and save it for the test.`,
    lines: 'The kit’s lines, with its secret',
    print: 'Print',
    save: 'Save as a file',
    printed: 'Printed, if your printer agrees: look at the paper.',
    saved: (file: string) => `Saved as ${file}.`,
    stick: 'A file belongs on a stick that lies with the paper, not in a folder that is copied to a cloud.',
    next: 'Go on to the test',
    first: 'Print or save it first.',
    leaving: 'This kit is neither printed nor saved. Its secret goes when this closes, and nobody can open the kit again.',
    back: 'Back to the kit',
    discard: 'Revoke it and close',
    failed: 'The file could not be saved. Try printing; if that fails too, revoke this kit, since nobody else has its secret.',
    revoke: 'Revoke this kit',
  },
  stray: {
    what: 'The kit cannot be used.',
    todo: 'The service took its public half, but the answer was lost on the way, so the page cannot be written. Revoke it, then make another.',
    revoke: 'Revoke it',
  },
  test: {
    title: 'Test it',
    lead: 'Choose the file that you saved, or type the lines from the paper. Every line is checked here; the text does not leave this browser.',
    choose: 'Choose the file',
    file: (name: string) => `It is called ${name}.`,
    type: 'Or type or paste the lines',
    typeHint: 'From “holdfast-kit:” to “check:”, each with # and what follows it. Upper and lower case matter.',
    go: 'Test',
    testing: 'The lines are good. The service is asked about the kit.',
    later: 'Test it later',
  },
  good: {
    title: 'This kit is good',
    lead: (id: string) => `Every line of kit ${id} is as it was written, and the service seals what you store for exactly this kit. That it was tested today is noted.`,
    rid: 'If the file is still on this device and you have the paper, delete it here: whoever finds it can read your files.',
    rehearse: 'Once a year, try the whole way. This reads from the providers alone, as if the service were gone:',
    done: 'Done',
  },
  fault: {
    none: 'There is no kit in this. A kit has lines from “holdfast-kit:” to “check:”; the first of them may be mistyped.',
    operator: 'This is an operator’s kit, which brings the whole service back. Choose the kit of your account.',
    newer: 'This kit is of a newer form than this page knows. Load the page anew, then test again.',
    mistyped: (n: number): string => (n === 1 ? 'One line is not as it was written:' : 'These lines are not as they were written:'),
    line: (n: number, key: string) => `line ${n}, which begins with “${key}”`,
    mend: 'Compare each with the paper, letter by letter and with what follows #. If the file itself is damaged, save it again from a good copy, or make a new kit and revoke this one.',
    missing: (field: string) => `The line “${field}” is missing. Copy all lines from “holdfast-kit:” to “check:”.`,
    doubled: (field: string) => `The line “${field}” is there more than once. Each belongs there once, except “address”.`,
    incomplete: 'Each line is good, but they are not all here, or stand in another order. Compare them with the paper: none may be left out.',
    senseless: (field: string) => `The line “${field}” says nothing that a kit can say. This kit cannot be used: make a new one.`,
    unknown: (id: string) => `Kit ${id} is not one of this account. It belongs to another account or another service, and opens nothing here.`,
    other: (id: string, wanted: string) => `This is kit ${id}, a good one of yours; the new one is ${wanted}. Choose its file.`,
    revoked: (id: string, day: string) => `Kit ${id} was revoked ${day}. It opens nothing that was stored since: destroy it, and keep a valid one.`,
    recipient: 'The lines are good, but the service seals for another secret under this kit’s name. Do not trust this kit: revoke it, make a new one, and tell the operator.',
    unread: 'The file could not be read. Choose it again.',
    long: 'This is far too long for a kit. A kit is one page of text.',
  },
};
export type KitWords = typeof enKit;
