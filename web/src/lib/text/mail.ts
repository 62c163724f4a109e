/** Words of mail, in all languages: they come with what needs them. */

import { deMail } from './de-mail';
import { enMail, type MailWords } from './en-mail';
import type { Language } from './language.svelte';

export const MAIL_WORDS: Readonly<Record<Language, MailWords>> = { en: enMail, de: deMail };
