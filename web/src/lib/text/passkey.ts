/** Words of passkeys, in all languages: they come with what needs them. */

import { dePasskey } from './de-passkey';
import { enPasskey, type PasskeyWords } from './en-passkey';
import type { Language } from './language.svelte';

export const PASSKEY_WORDS: Readonly<Record<Language, PasskeyWords>> = { en: enPasskey, de: dePasskey };
