/** Words of sharing with people of the same service. `de-grant.ts` has the same keys. */
export const enGrant = {
  rights: { read: 'can look', write: 'can change' },

  // The dialog.
  people: 'People',
  peopleHint: 'Accounts of this service. They find it under “Shared with me”.',
  toWhom: 'Name of the account',
  mayDo: 'What they can do',
  give: 'Share',
  given: (name: string) => `${name} can see it now`,
  rightsOf: (name: string) => `What ${name} can do`,
  fileHint: 'A single file can only be looked at. For changes, share a folder.',
  writeHint: 'Who can change it can also delete in it: that goes into your trash. What they add takes your space.',
  changed: (name: string, rights: string) => `${name} ${rights}`,
  remove: 'Remove',
  removeOf: (name: string) => `Remove ${name}`,
  removed: (name: string) => `${name} no longer sees it`,
  nobody: (name: string) => `Nobody here is called “${name}”. Look at the spelling; who has no account can get a link.`,
  yourself: 'That is you. It is yours already.',
  wholeTree: 'Everything at once cannot be shared. Share a folder in it.',
  link: 'Link',
  linkHint: 'For everybody who has the link, without an account.',
  makeLink: 'Make a link',

  // What others share.
  title: 'Shared with me',
  from: (owner: string) => `from ${owner}`,
  since: (day: string) => `since ${day}`,
  top: (name: string, owner: string) => `${name} (from ${owner})`,
  nothing: 'Nobody shares anything with you',
  nothingHint: 'What somebody of this service shares with you appears here by itself.',
  leave: 'Leave',
  leaveOf: (name: string) => `Leave “${name}”`,
  leaveWhat: (owner: string) =>
    `It goes from this list, and you can no longer open it. ${owner} keeps it, with all that is in it, and can share it again.`,
  left: (name: string) => `“${name}” is no longer in your list`,
  ended: 'This is no longer shared with you',
  endedHint: 'Its owner took it back, or threw it away. What you downloaded stays with you, and everything else works.',
  toList: 'To what is shared with you',
  ownerFull: 'The owner of this folder has no space left for this. Ask them; reading still works.',
  notAcross: 'Between your files and those of others nothing is moved. Copy it, and throw the old one away afterwards.',
  into: 'Into',
  mine: 'My files',
  copyOf: (name: string) => `Copy “${name}”`,
  everything: (name: string) => `Everything in ${name}`,
  searchIn: (name: string) => `Search in ${name}`,
  searchShared: 'Search what is shared',

  // What I share.
  whatLies: (path: string) => `in ${path}`,
  aLink: 'Link',
  end: 'End',
  endLinkOf: (name: string) => `End the link to ${name}`,
  endLink: 'Whoever has the link can no longer open it, and it never works again. The files stay where they are.',
  endOf: (person: string, name: string) => `End sharing ${name} with ${person}`,
  listHint: 'Share a file or a folder from its menu, with people of this service or by a link. All of it is listed here.',
};

export type GrantWords = typeof enGrant;
