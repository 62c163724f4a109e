/** Words of a firm's desk, in all languages: they come with its view. */

import { deDesk } from './de-desk';
import { enDesk, type DeskWords } from './en-desk';
import type { Language } from './language.svelte';

export const DESK_WORDS: Readonly<Record<Language, DeskWords>> = { en: enDesk, de: deDesk };
