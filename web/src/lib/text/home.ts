/** Words of taking everything home, in all languages: they come with the account view. */

import { deHome } from './de-home';
import { enHome, type HomeWords } from './en-home';
import type { Language } from './language.svelte';

export const HOME_WORDS: Readonly<Record<Language, HomeWords>> = { en: enHome, de: deHome };
