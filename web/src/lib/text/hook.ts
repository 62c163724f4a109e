/** Words of webhooks, in all languages: they come with what needs them. */

import { deHook } from './de-hook';
import { enHook, type HookWords } from './en-hook';
import type { Language } from './language.svelte';

export const HOOK_WORDS: Readonly<Record<Language, HookWords>> = { en: enHook, de: deHook };
