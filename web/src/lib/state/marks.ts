import * as grants from '../api/grants';
import * as shares from '../api/shares';
import { join, split } from '../path';

/** Places in the own tree that others can see, by a link or by their account. */
export async function sharedPlaces(): Promise<ReadonlySet<string>> {
  const [links, given] = await Promise.all([shares.list(), grants.list()]);
  const paths = [...links.filter(({ ended }) => ended === null), ...given].map(({ path }) => path);
  return new Set(paths.filter((path) => path !== null).map((path) => join(split(path))));
}
