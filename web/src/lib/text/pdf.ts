/** Words of a PDF that is looked at, in all languages: they come with it. */

import { dePdf } from './de-pdf';
import { enPdf, type PdfWords } from './en-pdf';
import type { Language } from './language.svelte';

export const PDF_WORDS: Readonly<Record<Language, PdfWords>> = { en: enPdf, de: dePdf };
