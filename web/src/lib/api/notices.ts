import { address, ask, send } from './http';
import type { ActWord, NewNotice, NoticeMade, Notices } from './schema';

// What operators do with notices. Nothing happens to bytes because of one.

export type { ActWord, NewNotice };

const one = (id: string) => `notices/${encodeURIComponent(id)}`;

/** The latest first; with `open` those alone that need a person or are in force. */
export const notices = async (open: boolean) => (await ask<Notices>('GET', `notices?open=${open}`)).notices;
export const enterNotice = async (said: NewNotice) => (await ask<NoticeMade>('POST', 'notices', said)).id;
export const actOnNotice = (id: string, act: ActWord) => send('POST', one(id), { act });

/** The document that was announced with a notice. */
export const sendDocument = (id: string, document: Blob) => send('PUT', `${one(id)}/document`, document);
export const documentAddress = (id: string) => address(`${one(id)}/document`);
