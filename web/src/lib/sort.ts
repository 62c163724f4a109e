/** Orders of a folder's entries, as addresses and requests name them. No state. */

import type { Entry } from './api/types';
import { compare } from './path';

export const COLUMNS = ['name', 'modified', 'size'] as const;
export type Column = (typeof COLUMNS)[number];
/** With a minus: the other way round. */
export type Sort = Column | `-${Column}`;

/** All orders, for a menu. */
export const ORDERS: readonly Sort[] = ['name', '-name', '-modified', 'modified', '-size', 'size'];

/** What a text means as an order; none if nothing. */
export function parseSort(text: string | null): Sort | undefined {
  return ORDERS.find((order) => order === text);
}

export function columnOf(sort: Sort): Column {
  return sort.replace('-', '') as Column;
}

export function isDown(sort: Sort): boolean {
  return sort.startsWith('-');
}

/** The order after a press on a column: turned round if it led before, else the end that people look for first. */
export function turn(sort: Sort, column: Column): Sort {
  if (columnOf(sort) === column) return isDown(sort) ? column : `-${column}`;
  return column === 'name' ? 'name' : `-${column}`;
}

/** Compares two entries as the service does, so that what arrives can be put in its place. */
export function comparing(sort: Sort): (a: Entry, b: Entry) => number {
  const column = columnOf(sort);
  const sign = isDown(sort) ? -1 : 1;
  return (a, b) => sign * (by(column, a, b) || compare(a.name, b.name));
}

function by(column: Column, a: Entry, b: Entry): number {
  if (column === 'size') return a.size - b.size;
  return column === 'modified' ? Date.parse(a.modified) - Date.parse(b.modified) : 0;
}
