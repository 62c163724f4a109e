/** Words of QR codes, in all languages: they come with what needs them. */

import { deQr } from './de-qr';
import { enQr, type QrWords } from './en-qr';
import type { Language } from './language.svelte';

export const QR_WORDS: Readonly<Record<Language, QrWords>> = { en: enQr, de: deQr };
