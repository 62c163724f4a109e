/** Words of the view in which an operator says what the service is, in all languages: they come with the view. */

import { deService } from './de-service';
import { enService, type ServiceWords } from './en-service';
import type { Language } from './language.svelte';

export const SERVICE_WORDS: Readonly<Record<Language, ServiceWords>> = { en: enService, de: deService };
