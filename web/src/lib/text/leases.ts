/** Words of leases, in all languages: they come with its view. */

import { deLeases } from './de-leases';
import { enLeases, type LeasesWords } from './en-leases';
import type { Language } from './language.svelte';

export const LEASES_WORDS: Readonly<Record<Language, LeasesWords>> = { en: enLeases, de: deLeases };
