/** Words of notices, in all languages: they come with its view. */

import { deNotices } from './de-notices';
import { enNotices, type NoticesWords } from './en-notices';
import type { Language } from './language.svelte';

export const NOTICES_WORDS: Readonly<Record<Language, NoticesWords>> = { en: enNotices, de: deNotices };
