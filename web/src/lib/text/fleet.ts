/** Words that only the fleet needs, in all languages: they come with its view. */

import { deFleet } from './de-fleet';
import { enFleet, type FleetWords } from './en-fleet';
import type { Language } from './language.svelte';

export const FLEET_WORDS: Readonly<Record<Language, FleetWords>> = { en: enFleet, de: deFleet };
