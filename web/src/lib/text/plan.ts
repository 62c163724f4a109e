/** Words of what a plan allows, in all languages: they come with what says them. */

import { dePlan } from './de-plan';
import { enPlan, type PlanWords } from './en-plan';
import type { Language } from './language.svelte';

export const PLAN_WORDS: Readonly<Record<Language, PlanWords>> = { en: enPlan, de: dePlan };
