/** What was given away, as lists: rows of a folder need to know no more of it. */

import { ask } from './http';
import type { Grants, Shares } from './schema';

export const links = async () => (await ask<Shares>('GET', 'shares')).shares;
export const grants = async () => (await ask<Grants>('GET', 'grants')).grants;
