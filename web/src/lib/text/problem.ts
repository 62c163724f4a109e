import { Problem } from '../api/http';
import type { Text } from './en';

/** What happened, and what still works or can be done. */
export interface Explanation {
  what: string;
  todo: string;
}

type Known = keyof Text['problem'];

const BY_CODE: Readonly<Record<string, Known>> = {
  exists: 'exists',
  bad_code: 'code',
  suspended: 'suspended',
  no_shared: 'unshared',
  read_only: 'readOnly',
  quota: 'quota',
  bad_second_factor: 'second',
  second_factor_needed: 'secondNeeded',
};

const BY_STATUS: Readonly<Record<number, Known>> = {
  0: 'offline',
  429: 'tooMany',
  401: 'signedOut',
  403: 'forbidden',
  404: 'missing',
  413: 'full',
  502: 'busy',
  503: 'busy',
  504: 'busy',
  507: 'full',
};

/** Words for anything thrown; the service's own sentence is shown where it says more than ours. */
export function explain(error: unknown, text: Text): Explanation {
  if (!(error instanceof Problem)) return text.problem.other;
  const known = BY_CODE[error.code] ?? BY_STATUS[error.status];
  if (known !== undefined && known !== 'busy' && known !== 'full') return text.problem[known];
  const { what, todo } = text.problem[known ?? 'other'];
  return { what: error.detail === '' ? what : `${what} (${error.detail})`, todo };
}

/** The same in one line. */
export function sentence(error: unknown, text: Text): string {
  const { what, todo } = explain(error, text);
  return `${what} ${todo}`;
}
