/** Loading the page anew where a part of it is gone: most likely the service was updated after the page had come. */

const KEY = 'holdfast.reloaded';

/** Loads the page anew, unless that was done and did not help; returns whether it does. */
export function reloadOnce(): boolean {
  // Without a network the browser's own page would take the place of ours.
  if (!navigator.onLine || sessionStorage.getItem(KEY) !== null) return false;
  sessionStorage.setItem(KEY, 'yes');
  location.reload();
  return true;
}

/** All is there: the next loss is a new one. */
export function reloaded(): void {
  sessionStorage.removeItem(KEY);
}
