/** Words of other people's accounts, in all languages: they come with the operators' views. */

import { dePeople } from './de-people';
import { enPeople, type PeopleWords } from './en-people';
import type { Language } from './language.svelte';

export const PEOPLE_WORDS: Readonly<Record<Language, PeopleWords>> = { en: enPeople, de: dePeople };
