/** Words that only the list of keys needs, in all languages: they come with its dialog. */

import { deKeys } from './de-keys';
import { enKeys, type KeysWords } from './en-keys';
import type { Language } from './language.svelte';

export const KEYS_WORDS: Readonly<Record<Language, KeysWords>> = { en: enKeys, de: deKeys };
