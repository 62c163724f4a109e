/** What can be shown of a file in the page. */

import type { IconName } from '../parts/icons';

export type Medium = 'image' | 'video' | 'audio' | 'text' | 'other';

/** The longest text that is shown, and the longest that is laid out. */
const TEXT_MAX = 1_000_000;
const MARKDOWN_MAX = 1024 * 1024;

const TEXTS = /^(text\/|application\/(json|xml|toml|yaml|x-yaml|javascript|x-sh|sql)\b)/;
const TEXT_ENDINGS =
  /\.(txt|md|markdown|log|csv|json|toml|ya?ml|ini|cfg|conf|sh|rs|ts|js|py|c|h|cpp|go|java|svelte|html?|css|xml|tex|srt)$/i;

export function medium(type: string | null, name: string): Medium {
  const kind = type?.split('/')[0];
  if (kind === 'image' || kind === 'video' || kind === 'audio') return kind;
  return TEXTS.test(type ?? '') || TEXT_ENDINGS.test(name) ? 'text' : 'other';
}

/** Whether the service makes small pictures of such a file. Never of one that could be a program, as an SVG can. */
export function isPicture(type: string | null, name: string): boolean {
  return type === null ? /\.(jpe?g|png|gif|webp)$/i.test(name) : /^image\/(jpeg|png|gif|webp)\b/.test(type);
}

/** Whether most of what lies in a folder is to be looked at. */
export function mostlyPictures(entries: readonly { kind: string; media_type: string | null; name: string }[]): boolean {
  const shown = entries.filter(({ kind, media_type, name }) => kind === 'file' && /^(image|video)$/.test(medium(media_type, name)));
  return shown.length * 2 > entries.length;
}

/** Whether a text is laid out as a page of its own. */
export function isMarkdown(name: string): boolean {
  return /\.(md|markdown)$/i.test(name);
}

/** Whether a file is a text that is too long to be shown. */
export function isTooLong(kind: Medium, name: string, bytes: number): boolean {
  return kind === 'text' && bytes > (isMarkdown(name) ? MARKDOWN_MAX : TEXT_MAX);
}

export function icon(kind: 'folder' | 'file', type: string | null, name: string): IconName {
  if (kind === 'folder') return 'folder';
  const shown = medium(type, name);
  return shown === 'other' ? 'file' : shown;
}
