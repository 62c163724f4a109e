/** Words of the viewer, in all languages: they come with it. */

import { deViewer } from './de-viewer';
import { enViewer, type ViewerWords } from './en-viewer';
import type { Language } from './language.svelte';

export const VIEWER_WORDS: Readonly<Record<Language, ViewerWords>> = { en: enViewer, de: deViewer };
