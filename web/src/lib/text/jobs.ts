/** Words of upkeep, in all languages: they come with its view. */

import { deJobs } from './de-jobs';
import { enJobs, type JobsWords } from './en-jobs';
import type { Language } from './language.svelte';

export const JOBS_WORDS: Readonly<Record<Language, JobsWords>> = { en: enJobs, de: deJobs };
