/** Words of the own account's page, in all languages: they come with what needs them. */

import { deAccount } from './de-account';
import { enAccount, type AccountWords } from './en-account';
import type { Language } from './language.svelte';

export const ACCOUNT_WORDS: Readonly<Record<Language, AccountWords>> = { en: enAccount, de: deAccount };
