/** Words of deleting an account, in all languages: they come with the views that speak of it. */

import { deLeave } from './de-leave';
import { enLeave, type LeaveWords } from './en-leave';
import type { Language } from './language.svelte';

export const LEAVE_WORDS: Readonly<Record<Language, LeaveWords>> = { en: enLeave, de: deLeave };
