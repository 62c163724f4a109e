/** Words that only looking at pictures needs, in all languages: they come with the grid or the viewer. */

import { dePhoto } from './de-photo';
import { enPhoto, type PhotoWords } from './en-photo';
import type { Language } from './language.svelte';

export const PHOTO_WORDS: Readonly<Record<Language, PhotoWords>> = { en: enPhoto, de: dePhoto };
