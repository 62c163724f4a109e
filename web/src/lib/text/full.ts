/** Words of space that comes to its end, in all languages: they come with the warning. */

import { deFull } from './de-full';
import { enFull, type FullWords } from './en-full';
import type { Language } from './language.svelte';

export const FULL_WORDS: Readonly<Record<Language, FullWords>> = { en: enFull, de: deFull };
