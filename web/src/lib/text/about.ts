/** Words around what the operator says to everybody, in all languages: they come with the views before a sign-in. */

import { deAbout } from './de-about';
import { enAbout, type AboutWords } from './en-about';
import type { Language } from './language.svelte';

export const ABOUT_WORDS: Readonly<Record<Language, AboutWords>> = { en: enAbout, de: deAbout };
