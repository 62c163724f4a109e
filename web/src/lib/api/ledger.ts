import { address, ask } from './http';
import type { Checkpoint, Ledger } from './schema';

/** Entries of one answer, by the service. */
export const LEDGER_PAGE = 200;

/** Entries behind this number, the first ones first. */
export const entriesAfter = async (after: number) => (await ask<Ledger>('GET', `ledger?after=${after}`)).entries;
export const checkpoint = () => ask<Checkpoint>('GET', 'ledger/checkpoint');
export const exportAddress = () => address('ledger/export');
