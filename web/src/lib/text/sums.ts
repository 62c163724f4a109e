/** Words of checksums, in all languages: they come with a file's details. */

import { deSums } from './de-sums';
import { enSums, type SumsWords } from './en-sums';
import type { Language } from './language.svelte';

export const SUMS_WORDS: Readonly<Record<Language, SumsWords>> = { en: enSums, de: deSums };
