/** Words of sending a file without an account, in all languages: they come with what says them. */

import { deQuick } from './de-quick';
import { enQuick, type QuickWords } from './en-quick';
import type { Language } from './language.svelte';

export const QUICK_WORDS: Readonly<Record<Language, QuickWords>> = { en: enQuick, de: deQuick };
