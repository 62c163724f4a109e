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

/** Raw files of cameras, which no browser shows. */
const RAWS =
  /^image\/(dng|x-(adobe-dng|canon-cr[23]|fuji-raf|nikon-n[er][fw]|olympus-orf|panasonic-rw2|pentax-pef|samsung-srw|sony-(arw|sr2)))\b/;
const SMALL_IMAGES = /^image\/(jpeg|png|gif|webp|hei[cf])\b/;
const SMALL_VIDEOS = /^video\/(3gpp|avi|mp4|quicktime|webm|x-m4v|x-matroska|x-msvideo)\b/;
const SMALL_ENDINGS =
  /\.(jpe?g|png|gif|webp|hei[cf]|dng|cr[23]|raf|nef|nrw|orf|rw2|pef|srw|arw|sr2|3gp|avi|mp4|mov|webm|m4v|mkv)$/i;

/**
 * Whether the service may make small pictures of such a file: of some only where a program for them is installed, else it says that
 * there is none. Never of one that could be a program, as an SVG can.
 */
export function isPicture(type: string | null, name: string): boolean {
  if (type === null || type.startsWith('application/octet-stream')) return SMALL_ENDINGS.test(name);
  return SMALL_IMAGES.test(type) || isRaw(type) || SMALL_VIDEOS.test(type);
}

/** Whether only a smaller picture of it can be shown. */
export function isRaw(type: string | null): boolean {
  return type !== null && RAWS.test(type);
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
