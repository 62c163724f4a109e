/** Words of the second factor, in all languages: they come with the views that ask for it. */

import { deSecond } from './de-second';
import { enSecond, type SecondWords } from './en-second';
import type { Language } from './language.svelte';

export const SECOND_WORDS: Readonly<Record<Language, SecondWords>> = { en: enSecond, de: deSecond };
