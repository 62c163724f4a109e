/** The machine-readable lines of a kit, `key: value  #check`. Source: docs/format.md, section 12. */

import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** The key of the last line, which covers all before it. */
export const CHECK = 'check';
/** Bytes of BLAKE3 at the end of each line, and in the last one. */
const LINE_BYTES = 2;
const ALL_BYTES = 4;

export interface Line {
  /** Where it stands in the text, from 1. */
  number: number;
  key: string;
  value: string;
  /** Without its check, single spaces between words. */
  text: string;
  /** Whether its own check is right. */
  good: boolean;
}

/** Lines with their checks, and one more that covers them all. */
export function write(lines: readonly string[]): string[] {
  const spaced = lines.map(singleSpaced);
  return [...spaced, `${CHECK}: ${checkOfAll(spaced)}`].map((line) => `${line}  #${check(line, LINE_BYTES)}`);
}

/** The lines from the one that begins with `first` to the check of all; empty if there is none that begins so. */
export function read(text: string, first: string): Line[] {
  const all = text.split('\n').map((line, index) => ({ number: index + 1, line: trimmed(line) }));
  const from = all.findIndex(({ line }) => line.startsWith(`${first}:`));
  if (from < 0) return [];
  const lines = all
    .slice(from)
    .filter(({ line }) => line !== '')
    .map(({ number, line }) => readLine(number, line));
  const last = lines.findIndex(({ key }) => key === CHECK);
  return last < 0 ? lines : lines.slice(0, last + 1);
}

/** What the last line has to say of those before it. */
export function checkOfAll(lines: readonly string[]): string {
  return check(lines.join('\n'), ALL_BYTES);
}

function readLine(number: number, line: string): Line {
  const at = line.lastIndexOf('#');
  const text = singleSpaced(at < 0 ? line : line.slice(0, at));
  const written = at < 0 ? '' : trimmed(line.slice(at + 1)).toLowerCase();
  const colon = text.indexOf(': ');
  const [key, value] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 2)];
  return { number, key, value, text, good: written === check(text, LINE_BYTES) };
}

/** The first bytes of the BLAKE3 of a text, in hex. */
function check(text: string, bytes: number): string {
  return bytesToHex(blake3(utf8ToBytes(text)).subarray(0, bytes));
}

// White space is Unicode's, as in the program: JavaScript's own idea of it differs by two characters.
const SPACE_RUN = /\p{White_Space}+/gu;

function trimmed(text: string): string {
  return text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, '');
}

/** Words with one space between them: how many were typed does not matter. */
function singleSpaced(text: string): string {
  return trimmed(text).replace(SPACE_RUN, ' ');
}

/** Writes `%`, `|`, `#`, white space and control characters as `%` and two hex digits for each byte. */
export function escape(text: string): string {
  return text.replace(/[%|#\p{White_Space}\p{Cc}]/gu, (letter) =>
    [...utf8ToBytes(letter)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}

/** Reads what `escape` wrote; null if it did not write this. */
export function unescape(text: string): string | null {
  try {
    return /%(?![0-9a-f]{2})/i.test(text) ? null : decodeURIComponent(text);
  } catch {
    return null; // The bytes are no UTF-8.
  }
}
