/** Words of the ledger, in all languages: they come with its view. */

import { deLedger } from './de-ledger';
import { enLedger, type LedgerWords } from './en-ledger';
import type { Language } from './language.svelte';

export const LEDGER_WORDS: Readonly<Record<Language, LedgerWords>> = { en: enLedger, de: deLedger };
