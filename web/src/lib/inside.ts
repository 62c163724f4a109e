/**
 * Whether somebody was signed in here the last time. Only a guess, by which the page begins to load what they will see while
 * the service is asked who they are; without it they would wait for one after the other.
 */

const KEY = 'holdfast.inside';

export function wasInside(): boolean {
  return localStorage.getItem(KEY) !== null;
}

export function note(inside: boolean): void {
  if (inside) localStorage.setItem(KEY, 'yes');
  else localStorage.removeItem(KEY);
}
