import { join } from '../path';
import { ask, send } from './http';
import type { Grant, GrantChange, NewGrant, Rights, SharedList } from './schema';

const one = (id: string) => `grants/${encodeURIComponent(id)}`;

// The giver's side.

export { grants as list } from './out';

/** Shows a folder or file to somebody; one who has it already gets these rights. */
export const give = (path: readonly string[], to: string, rights: Rights) =>
  ask<Grant>('POST', 'grants', { path: join(path), to, rights } satisfies NewGrant);

export const change = (id: string, rights: Rights) => ask<Grant>('PATCH', one(id), { rights } satisfies GrantChange);

export const end = (id: string) => send('DELETE', one(id));

// The side of who was given something.

export const received = async () => (await ask<SharedList>('GET', 'shared')).shared;

/** Gives it back: only the owner can share it again. */
export const leave = (id: string) => send('DELETE', `shared/${encodeURIComponent(id)}`);
