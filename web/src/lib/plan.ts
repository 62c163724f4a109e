/** Sizes and spans as people type them, and as a form shows them again. No I/O, no state. */

const UNITS: readonly (readonly [string, number])[] = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['B', 1],
];

const POWERS: Readonly<Record<string, number>> = { '': 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/** What was typed into a field: a number, none for an empty one, or nothing that is understood. */
export type Typed = number | null | undefined;

/** `5 GB`, `1,5 tb`, `500 MiB`, `10 GB a day`, `2 MB/s`: what follows the unit says only what the field says already. */
export function bytesOf(text: string): Typed {
  const typed = text.trim();
  if (typed === '') return null;
  const found = /^([\d.,\s]*\d)\s*([kmgtp]?)(i?)(b|bytes?)?\s*(\/.*|(a|per|am|pro|je)\s.*)?$/i.exec(typed);
  if (!found) return undefined;
  const [, digits = '', letter = '', binary = '', unit] = found;
  // A bare number is most likely not meant in bytes; who means them writes so.
  if (letter === '' && (unit === undefined || binary !== '')) return undefined;
  const power = POWERS[letter.toLowerCase()] ?? 0;
  const value = numberOf(digits);
  if (value === undefined) return undefined;
  const bytes = Math.round(value * (binary === '' ? 1000 : 1024) ** power);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** `30`, `30 days`, `30 Tage`. */
export function daysOf(text: string): Typed {
  const typed = text.trim();
  if (typed === '') return null;
  const found = /^(\d{1,5})\s*(d|days?|tagen?|tage?)?\.?$/i.exec(typed);
  const days = Number(found?.[1] ?? NaN);
  return days > 0 ? days : undefined;
}

/** A size for a field: in the greatest unit that says it exactly enough to be read back the same. */
export function written(bytes: number | null, language: string): string {
  if (bytes === null) return '';
  const [unit, factor] = UNITS.find(([, size]) => bytes >= size && Number.isInteger((bytes / size) * 1000)) ?? ['B', 1];
  const digits = new Intl.NumberFormat(language, { maximumFractionDigits: 3, useGrouping: false });
  return `${digits.format(bytes / factor)} ${unit}`;
}

/** Whether there is any limit beside the space. */
export function hasLimits(limits: object): boolean {
  return Object.entries(limits).some(([key, value]) => key !== 'link_bytes_today' && value !== null);
}

/** One mark is that of decimals; where there are more, the last one is, if it is of another kind. */
function numberOf(digits: string): number | undefined {
  const plain = digits.replaceAll(/\s/g, '');
  const marks = plain.replaceAll(/\d/g, '');
  const last = marks.at(-1) ?? '';
  const decimal = marks.length === 1 || (marks.length > 1 && marks.indexOf(last) === marks.length - 1) ? last : '';
  const [whole = '', part = '', ...more] = decimal === '' ? [plain] : plain.split(decimal);
  if (more.length > 0) return undefined;
  const value = Number(`${whole.replaceAll(/[.,]/g, '')}.${part || '0'}`);
  return Number.isFinite(value) ? value : undefined;
}
