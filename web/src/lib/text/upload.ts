/** Words of uploads, in all languages: they come with the first one. */

import { deUpload } from './de-upload';
import { enUpload, type UploadWords } from './en-upload';
import type { Language } from './language.svelte';

export const UPLOAD_WORDS: Readonly<Record<Language, UploadWords>> = { en: enUpload, de: deUpload };
