/** Words of the search view, in all languages: they come with it. */

import { deSearch } from './de-search';
import { enSearch, type SearchWords } from './en-search';
import type { Language } from './language.svelte';

export const SEARCH_WORDS: Readonly<Record<Language, SearchWords>> = { en: enSearch, de: deSearch };
