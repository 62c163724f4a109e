/** Words that only file requests need, in all languages: they come with their dialog, and with a guest's page. */

import { deRequest } from './de-request';
import { enRequest, type RequestWords } from './en-request';
import type { Language } from './language.svelte';

export const REQUEST_WORDS: Readonly<Record<Language, RequestWords>> = { en: enRequest, de: deRequest };
