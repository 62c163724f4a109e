import { send } from './http';
import type { Desk, DocumentSaid, Filing, Receipt } from './schema';

// The firm's side of a lease: nothing here needs an account, all of it the token of the desk.

export type { Desk, DocumentSaid, Filing };

const door = (lease: string) => `desk/${encodeURIComponent(lease)}`;

export const desk = async (lease: string, token: string) =>
  (await (await send('GET', door(lease), undefined, undefined, token)).json()) as Desk;

/** Files a notice. It is sent byte by byte as it is given: the receipt names the hash of these bytes. */
export const fileNotice = async (lease: string, token: string, content: Blob) =>
  (await (await send('POST', `${door(lease)}/notices`, content, undefined, token)).json()) as Receipt;

/** The document that was announced with a notice. */
export const fileDocument = (lease: string, token: string, notice: string, document: Blob) =>
  send('PUT', `${door(lease)}/notices/${encodeURIComponent(notice)}/document`, document, undefined, token);
