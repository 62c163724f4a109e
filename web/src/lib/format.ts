/**
 * Numbers and times as people read them, in a language. No state but the formatters that were made: making one takes a browser
 * longer than the rest of a row of a list.
 */

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

const numbers = new Map<string, Intl.NumberFormat>();
const times = new Map<string, Intl.DateTimeFormat>();

/** What `make` makes, once for each language and options. */
function kept<Options, Made>(made: Map<string, Made>, language: string, options: Options, make: () => Made): Made {
  const key = `${language} ${JSON.stringify(options)}`;
  let found = made.get(key);
  if (found === undefined) made.set(key, (found = make()));
  return found;
}

function number(value: number, language: string, options: Intl.NumberFormatOptions = {}): string {
  return kept(numbers, language, options, () => new Intl.NumberFormat(language, options)).format(value);
}

function time(value: Date, language: string, options: Intl.DateTimeFormatOptions): string {
  return kept(times, language, options, () => new Intl.DateTimeFormat(language, options)).format(value);
}

/** A size in decimal units, as firms bill it: `1.5 MB`. */
export function size(bytes: number, language: string): string {
  const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return number(value, language, {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : 1,
  });
}

/** A day; with its year only if that is another than now's. */
export function day(at: string, language: string, now = new Date()): string {
  const date = new Date(at);
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return time(date, language, { day: 'numeric', month: 'short', ...year });
}

/** A day and its time, complete. */
export function moment(at: string, language: string): string {
  return time(new Date(at), language, { dateStyle: 'medium', timeStyle: 'short' });
}

/** What a narrow column shows: the hour for today, else the day. */
export function short(at: string, language: string, now = new Date()): string {
  const date = new Date(at);
  if (date.toDateString() !== now.toDateString()) return day(at, language, now);
  return time(date, language, { hour: 'numeric', minute: '2-digit' });
}

/** A span in its two greatest units: `1 h 5 min`, `3 days 15 h`. */
export function span(seconds: number, language: string): string {
  const whole = Math.max(1, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const unit = (value: number, name: 'day' | 'hour' | 'minute' | 'second') =>
    number(value, language, { style: 'unit', unit: name, unitDisplay: name === 'day' ? 'long' : 'short' });
  // Two days and more are told in days: nobody divides 111 hours.
  if (hours >= 48) return `${unit(Math.floor(hours / 24), 'day')} ${unit(hours % 24, 'hour')}`;
  if (hours > 0) return `${unit(hours, 'hour')} ${unit(minutes, 'minute')}`;
  if (minutes > 0) return minutes < 10 ? `${unit(minutes, 'minute')} ${unit(rest, 'second')}` : unit(minutes, 'minute');
  return unit(rest, 'second');
}

export function count(value: number, language: string): string {
  return number(value, language);
}

/** Days from now until a time, rounded up; none if it has passed. */
export function daysUntil(at: string, now = Date.now()): number {
  return Math.max(0, Math.ceil((new Date(at).getTime() - now) / 86_400_000));
}
