import { ask } from './http';
import type { Space, Takeout } from './schema';

/** What takes the space of the account. */
export const space = (): Promise<Space> => ask('GET', 'space');

/** Some of the zips that hold everything, or what came since a time; `next` leads to more. */
export const takeout = (query: URLSearchParams): Promise<Takeout> => ask('GET', `takeout?${query}`);
