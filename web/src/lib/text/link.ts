/** Words of links to files, in all languages: they come with what needs them. */

import { deLink } from './de-link';
import { enLink, type LinkWords } from './en-link';
import type { Language } from './language.svelte';

export const LINK_WORDS: Readonly<Record<Language, LinkWords>> = { en: enLink, de: deLink };
