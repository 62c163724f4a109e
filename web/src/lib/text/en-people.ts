/** Words of other people's accounts, which operators have. `de-people.ts` has the same keys. */

export const enPeople = {
  people: {
    title: 'People',
    accounts: 'Accounts',
    invitations: 'Invitations',
    invite: 'Invite',
    role: 'Role',
    user: 'User',
    operator: 'Operator',
    valid: 'Valid for days',
    none: 'No open invitations',
    link: 'Give this address to one person. It works once.',
    resetLink: (name: string) => `Give this address to ${name}. It sets a new password, once.`,
    since: (day: string) => `since ${day}`,
    suspended: (day: string) => `suspended ${day}`,
    suspend: 'Suspend',
    reinstate: 'Reinstate',
    reset: 'New password',
    until: (day: string) => `until ${day}`,
    withdraw: 'Withdraw',
    limit: 'Space',
    hasFactor: 'second factor',
    removeFactor: 'Remove second factor',
    removeFactorOf: (name: string) => `Remove the second factor of ${name}`,
    removeMeans: (name: string) =>
      `From then on the password alone opens the account of ${name}, until a second factor is turned on there again. The codes of the app and the one-time codes are void.`,
    removeCheck: 'Do it only if you are sure who is asking: whoever stole a password asks for exactly this.',
    factorRemoved: (name: string) => `${name} now signs in with the password alone`,
  },
  quota: {
    title: (name: string) => `Space for ${name}`,
    none: 'No limit',
    limit: 'A limit',
    amount: 'At most',
    unit: 'Unit',
    below: 'That is less than is used already. Nothing is deleted, but new files are refused.',
    set: (name: string, size: string) => `${name} may now use ${size}`,
    lifted: (name: string) => `${name} has no limit now`,
  },
};
export type PeopleWords = typeof enPeople;
