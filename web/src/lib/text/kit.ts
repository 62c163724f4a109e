/** Words that only recovery kits need, in all languages: they come with the dialog, and not with the page. */

import { deKit } from './de-kit';
import { enKit, type KitWords } from './en-kit';
import type { Language } from './language.svelte';

export const KIT_WORDS: Readonly<Record<Language, KitWords>> = { en: enKit, de: deKit };
