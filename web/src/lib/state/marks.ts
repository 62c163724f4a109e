import { grants, links } from '../api/out';
import { join, split } from '../path';

/** Places in the own tree that others can see, by a link or by their account. */
export async function sharedPlaces(): Promise<ReadonlySet<string>> {
  const [shared, given] = await Promise.all([links(), grants()]);
  const paths = [...shared.filter(({ ended }) => ended === null), ...given].map(({ path }) => path);
  return new Set(paths.filter((path) => path !== null).map((path) => join(split(path))));
}
