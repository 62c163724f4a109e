/** Words of what is staged, in all languages: they come with its view. */

import { deStage } from './de-stage';
import { enStage, type StageWords } from './en-stage';
import type { Language } from './language.svelte';

export const STAGE_WORDS: Readonly<Record<Language, StageWords>> = { en: enStage, de: deStage };
