/**
 * Names as they are shown. A name may hold characters that nobody sees and that lie about the rest: one that turns the
 * direction makes `invoice‹RLO›fdp.exe` look as if it ended in `exe.pdf`. They are shown as marks, and names apart from what
 * stands around them. What is sent, kept and downloaded stays as it is.
 */

/** A run of text, or the mark of one hidden character. */
export interface Piece {
  text: string;
  /** The hidden character that the text is the mark of: `U+202E`. */
  hidden: string | null;
}

/** The short names that Unicode gives to those which occur; others are told by their numbers. */
const MARKS: Readonly<Record<string, string>> = {
  '\u00AD': 'SHY',
  '\u061C': 'ALM',
  '\u200B': 'ZWSP',
  '\u200C': 'ZWNJ',
  '\u200D': 'ZWJ',
  '\u200E': 'LRM',
  '\u200F': 'RLM',
  '\u202A': 'LRE',
  '\u202B': 'RLE',
  '\u202C': 'PDF',
  '\u202D': 'LRO',
  '\u202E': 'RLO',
  '\u2060': 'WJ',
  '\u2066': 'LRI',
  '\u2067': 'RLI',
  '\u2068': 'FSI',
  '\u2069': 'PDI',
  '\uFEFF': 'BOM',
};

/** Scripts that write with joiners: there these say how letters look, and belong to the word. */
const JOINED = 'Arab Syrc Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Khmr Mymr'
  .split(' ')
  .map((script) => String.raw`\p{Script=${script}}`)
  .join('');
const PICTURE = String.raw`\p{Extended_Pictographic}[\uFE0F\p{Emoji_Modifier}]*`;
/** Pictures made of several, flags of regions, joined letters, and signs that Unicode calls format and fonts draw. */
const FINE = [
  String.raw`${PICTURE}(?:\u200D${PICTURE})+`,
  String.raw`\u{1F3F4}[\u{E0020}-\u{E007E}]+\u{E007F}`,
  `[${JOINED}][\\u200C\\u200D]`,
  String.raw`[\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2]`,
].join('|');
/** Control, format, ends of lines, letters without a shape. */
const HIDDEN = String.raw`[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0]`;
const FOUND = new RegExp(`${FINE}|(${HIDDEN})`, 'gu');
/** All that is needed to see that there is nothing to mark, as in nearly every name. */
const ANY = new RegExp(HIDDEN, 'u');

export function pieces(name: string): Piece[] {
  if (!ANY.test(name)) return [{ text: name, hidden: null }];
  const found: Piece[] = [];
  let from = 0;
  for (const { 1: hidden, index } of name.matchAll(FOUND)) {
    if (hidden === undefined) continue;
    if (index > from) found.push({ text: name.slice(from, index), hidden: null });
    const code = `U+${(hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
    found.push({ text: MARKS[hidden] ?? code, hidden: code });
    from = index + hidden.length;
  }
  if (from < name.length) found.push({ text: name.slice(from), hidden: null });
  return found;
}

/** The same as a text, for what a browser says by itself and for screen readers. */
export function legible(name: string): string {
  return pieces(name)
    .map(({ text, hidden }) => (hidden === null ? text : `[${text}]`))
    .join('');
}
