/** Words that only reports need, in all languages: they come with a guest's page, and with the operator's list. */

import { deReport } from './de-report';
import { enReport, type ReportWords } from './en-report';
import type { Language } from './language.svelte';

export const REPORT_WORDS: Readonly<Record<Language, ReportWords>> = { en: enReport, de: deReport };
