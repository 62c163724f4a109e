/** Numbers and times as people read them, in a language. No state. */

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte', 'petabyte'] as const;

/** A size in decimal units, as firms bill it: `1.5 MB`. */
export function size(bytes: number, language: string): string {
  const step = bytes < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: UNITS[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 || value >= 100 ? 0 : 1,
  }).format(value);
}

/** A day; with its year only if that is another than now's. */
export function day(time: string, language: string, now = new Date()): string {
  const date = new Date(time);
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: 'numeric' } as const);
  return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short', ...year }).format(date);
}

/** A day and its time, complete. */
export function moment(time: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

/** What a narrow column shows: the hour for today, else the day. */
export function short(time: string, language: string, now = new Date()): string {
  const date = new Date(time);
  if (date.toDateString() !== now.toDateString()) return day(time, language, now);
  return new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' }).format(date);
}

/** A span in its two greatest units: `1 h 5 min`. */
export function span(seconds: number, language: string): string {
  const whole = Math.max(1, Math.round(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const unit = (value: number, name: 'hour' | 'minute' | 'second') =>
    new Intl.NumberFormat(language, { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
  if (hours > 0) return `${unit(hours, 'hour')} ${unit(minutes, 'minute')}`;
  if (minutes > 0) return minutes < 10 ? `${unit(minutes, 'minute')} ${unit(rest, 'second')}` : unit(minutes, 'minute');
  return unit(rest, 'second');
}

export function count(value: number, language: string): string {
  return new Intl.NumberFormat(language).format(value);
}

/** Days from now until a time, rounded up; none if it has passed. */
export function daysUntil(time: string, now = Date.now()): number {
  return Math.max(0, Math.ceil((new Date(time).getTime() - now) / 86_400_000));
}
