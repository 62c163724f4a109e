/** What can be shown of a file in the page. */

import type { IconName } from '../parts/icons';

export type Medium = 'image' | 'video' | 'audio' | 'text' | 'other';

/** The longest text that is shown. */
export const TEXT_MAX = 1_000_000;

const TEXTS = /^(text\/|application\/(json|xml|toml|yaml|x-yaml|javascript|x-sh|sql)\b)/;
const TEXT_ENDINGS =
  /\.(txt|md|log|csv|json|toml|ya?ml|ini|cfg|conf|sh|rs|ts|js|py|c|h|cpp|go|java|svelte|html?|css|xml|tex|srt)$/i;

export function medium(type: string | null, name: string): Medium {
  const kind = type?.split('/')[0];
  if (kind === 'image' || kind === 'video' || kind === 'audio') return kind;
  return TEXTS.test(type ?? '') || TEXT_ENDINGS.test(name) ? 'text' : 'other';
}

export function icon(kind: 'folder' | 'file', type: string | null, name: string): IconName {
  if (kind === 'folder') return 'folder';
  const shown = medium(type, name);
  return shown === 'other' ? 'file' : shown;
}
