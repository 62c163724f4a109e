/** Words of signing in. `de-login.ts` has the same keys. */
export const enLogin = {
  title: 'Sign in',
  name: 'Name',
  nameOrMail: 'Name or mail address',
  password: 'Password',
  enter: 'Sign in',
  forgotten: 'Forgotten password?',
  byInvitation: 'Accounts are made by invitation.',
  bad: 'Name or password is wrong.',
  tooMany: (span: string) => `Too many attempts. Try again in ${span}; your account is unharmed.`,
  motto: 'File hosting that outlives its hosting firms.',
};
export type LoginWords = typeof enLogin;
