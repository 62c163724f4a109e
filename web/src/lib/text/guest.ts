/** Words of links, as guests see them, in all languages: they come with what needs them. */

import { deGuest } from './de-guest';
import { enGuest, type GuestWords } from './en-guest';
import type { Language } from './language.svelte';

export const GUEST_WORDS: Readonly<Record<Language, GuestWords>> = { en: enGuest, de: deGuest };
