/** Words of signing in elsewhere, in all languages: they come with what needs them. */

import { deElsewhere } from './de-elsewhere';
import { enElsewhere, type ElsewhereWords } from './en-elsewhere';
import type { Language } from './language.svelte';

export const ELSEWHERE_WORDS: Readonly<Record<Language, ElsewhereWords>> = { en: enElsewhere, de: deElsewhere };
