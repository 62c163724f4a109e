/** Words of the trash, in all languages: they come with what needs them. */

import { deTrash } from './de-trash';
import { enTrash, type TrashWords } from './en-trash';
import type { Language } from './language.svelte';

export const TRASH_WORDS: Readonly<Record<Language, TrashWords>> = { en: enTrash, de: deTrash };
