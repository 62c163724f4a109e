/** Words of leaving a firm, in all languages: they come with its view. */

import { deFirm } from './de-firm';
import { enFirm, type FirmWords } from './en-firm';
import type { Language } from './language.svelte';

export const FIRM_WORDS: Readonly<Record<Language, FirmWords>> = { en: enFirm, de: deFirm };
