/** Words that only sharing with people needs, in all languages: they come with its dialog and views. */

import { deGrant } from './de-grant';
import { enGrant, type GrantWords } from './en-grant';
import type { Language } from './language.svelte';

export const GRANT_WORDS: Readonly<Record<Language, GrantWords>> = { en: enGrant, de: deGrant };
