/** Pictures by the day they were changed, newest first, and where each stands in a grid of squares. No state, no page. */

import type { Entry } from '../api/types';

/** Neighbours in the list that share a day of this device's calendar. */
export interface Day {
  /** Index of its first entry, and how many there are. */
  start: number;
  count: number;
  /** Year × 12 + month, and the day in it. */
  month: number;
  date: number;
}

/** Days together with the entries that they were made of, so that the next page of a long folder adds to them only. */
export interface Days {
  entries: readonly Entry[];
  days: readonly Day[];
}

export const NO_DAYS: Days = { entries: [], days: [] };

/** Groups entries, which come in the order of their time. */
export function group(entries: readonly Entry[], known: Days): Days {
  const before = known.entries.length;
  // A page that is added changes nothing before it; everything else is counted anew.
  const grown =
    before > 0 &&
    entries.length >= before &&
    entries[0] === known.entries[0] &&
    entries[before - 1] === known.entries[before - 1];
  const days = grown ? [...known.days] : [];
  let last = days.at(-1);
  for (let index = grown ? before : 0; index < entries.length; index += 1) {
    const time = new Date(entries[index]?.modified ?? 0);
    const [month, date] = [time.getFullYear() * 12 + time.getMonth(), time.getDate()];
    if (last?.month === month && last.date === date) last = { ...last, count: last.count + 1 };
    else last = { start: index, count: 1, month, date };
    if (days.at(-1)?.start === last.start) days[days.length - 1] = last;
    else days.push(last);
  }
  return { entries, days };
}

/** Measures of the grid, in pixels. */
export interface Measure {
  columns: number;
  /** A square with the gap below it. */
  cell: number;
  /** The heading of a day. */
  head: number;
}

/** What is drawn in one line: a day's heading, or squares from one index on. */
export interface Line {
  top: number;
  day: Day;
  /** Index of its first square; -1 for a heading. */
  first: number;
  count: number;
}

/** A month and where it begins. */
export interface Month {
  month: number;
  top: number;
}

export class Plan {
  readonly height: number;
  readonly months: readonly Month[];
  readonly #tops: number[] = [];

  constructor(
    private readonly days: readonly Day[],
    private readonly measure: Measure,
  ) {
    const months: Month[] = [];
    let top = 0;
    for (const day of days) {
      this.#tops.push(top);
      if (months.at(-1)?.month !== day.month) months.push({ month: day.month, top });
      top += measure.head + this.#rows(day) * measure.cell;
    }
    this.height = top;
    this.months = months;
  }

  /** The lines that a window shows. */
  lines(from: number, to: number): Line[] {
    const { columns, cell, head } = this.measure;
    const lines: Line[] = [];
    for (let at = Math.max(0, this.#dayAt(from)); at < this.days.length; at += 1) {
      const [day, top] = [this.days[at], this.#tops[at] ?? 0];
      if (day === undefined || top > to) break;
      if (top + head >= from) lines.push({ top, day, first: -1, count: 0 });
      const rows = this.#rows(day);
      const begin = Math.max(0, Math.floor((from - top - head) / cell));
      for (let row = begin; row < rows && top + head + row * cell <= to; row += 1) {
        const first = day.start + row * columns;
        lines.push({ top: top + head + row * cell, day, first, count: Math.min(columns, day.start + day.count - first) });
      }
    }
    return lines;
  }

  /** Where the line with this square begins and ends; a day's first line has its heading with it. */
  span(index: number): [number, number] {
    const at = this.#dayOf(index);
    const [day, top] = [this.days[at], this.#tops[at] ?? 0];
    if (day === undefined) return [0, 0];
    const { columns, cell, head } = this.measure;
    const row = Math.floor((index - day.start) / columns);
    const begin = top + head + row * cell;
    return [row === 0 ? top : begin, begin + cell];
  }

  /** The square one line up or down, in the same column as far as there is one. */
  beside(index: number, step: 1 | -1): number {
    const { columns } = this.measure;
    const at = this.#dayOf(index);
    const day = this.days[at];
    if (day === undefined) return index;
    const [row, column] = [Math.floor((index - day.start) / columns), (index - day.start) % columns];
    const inside = (within: Day, wanted: number) =>
      within.start + Math.min(within.count - 1, wanted * columns + column);
    if (row + step >= 0 && row + step < this.#rows(day)) return inside(day, row + step);
    const next = this.days[at + step];
    if (next === undefined) return index;
    return inside(next, step === 1 ? 0 : this.#rows(next) - 1);
  }

  /** Index in `months` of what stands at a height. */
  monthAt(top: number): number {
    return search(this.months.length, (at) => (this.months[at]?.top ?? 0) <= top);
  }

  #rows(day: Day): number {
    return Math.ceil(day.count / this.measure.columns);
  }

  #dayAt(top: number): number {
    return search(this.days.length, (at) => (this.#tops[at] ?? 0) <= top);
  }

  #dayOf(index: number): number {
    return search(this.days.length, (at) => (this.days[at]?.start ?? 0) <= index);
  }
}

/** The last of `count` places for which something holds that holds for none after one for which it does not. */
function search(count: number, holds: (at: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
