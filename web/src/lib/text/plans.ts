/** Words of plans as operators make them, in all languages: they come with the operators' views. */

import { dePlans } from './de-plans';
import { enPlans, type PlansWords } from './en-plans';
import type { Language } from './language.svelte';

export const PLANS_WORDS: Readonly<Record<Language, PlansWords>> = { en: enPlans, de: dePlans };
