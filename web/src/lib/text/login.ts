/** Words of signing in, in all languages: they come with what needs them. */

import { deLogin } from './de-login';
import { enLogin, type LoginWords } from './en-login';
import type { Language } from './language.svelte';

export const LOGIN_WORDS: Readonly<Record<Language, LoginWords>> = { en: enLogin, de: deLogin };
