import { join } from '../path';
import { ask, send } from './http';
import type { Grant, Rights, Shared } from './types';

const one = (id: string) => `grants/${encodeURIComponent(id)}`;

// The giver's side.

export const list = async () => (await ask<{ grants: Grant[] }>('GET', 'grants')).grants;

/** Shows a folder or file to somebody; one who has it already gets these rights. */
export const give = (path: readonly string[], to: string, rights: Rights) =>
  ask<Grant>('POST', 'grants', { path: join(path), to, rights });

export const change = (id: string, rights: Rights) => ask<Grant>('PATCH', one(id), { rights });

export const end = (id: string) => send('DELETE', one(id));

// The side of who was given something.

export const received = async () => (await ask<{ shared: Shared[] }>('GET', 'shared')).shared;

/** Gives it back: only the owner can share it again. */
export const leave = (id: string) => send('DELETE', `shared/${encodeURIComponent(id)}`);
