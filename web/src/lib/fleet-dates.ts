/** Days as people choose them, and times as the service has them. A day begins at midnight here, wherever that is. */

const DAY_MS = 86_400_000;

/** The beginning of a day, `2027-03-31`, as a time. */
export const asTime = (day: string): string => new Date(`${day}T00:00`).toISOString();

/** The day of a time, as a field for days has it. */
export function asDay(time: string | null): string {
  if (time === null) return '';
  const at = new Date(time);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The first day that has not begun. */
export const tomorrow = (now = Date.now()): string => asDay(new Date(now + DAY_MS).toISOString());

/** Whole days from now until a time; less than nothing once it is over. */
export const daysLeft = (time: string, now = Date.now()): number => Math.ceil((new Date(time).getTime() - now) / DAY_MS);
