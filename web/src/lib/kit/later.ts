/** *Later*, said to the offer of a kit: it holds for the day, in this browser, for the account. */

const KEY = 'holdfast.kit.later';

export function isPutOff(account: string): boolean {
  return localStorage.getItem(KEY) === entry(account);
}

export function putOff(account: string): void {
  localStorage.setItem(KEY, entry(account));
}

/** A day by the clock on the wall: the next morning it is another one. */
function entry(account: string): string {
  return `${new Date().toDateString()} ${account}`;
}
