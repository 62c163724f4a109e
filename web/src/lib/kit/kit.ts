/**
 * A recovery kit as a text: written as `holdfast kit make` writes it, read as every program of ours reads it.
 *
 * Its form is docs/format.md, section 12. Words above the lines are for people and may be in any language.
 */

import { CHECK, checkOfAll, escape, read, unescape, write, type Line } from './lines';
import { recipientOf } from './secret';

/** The first word of the first machine-readable line. */
const FIRST = 'holdfast-kit';
const FIRST_OF_OPERATOR = 'holdfast-operator-kit';
const FORMAT_VERSION = 1;
const ID = /^[0-9a-f]{32}$/;

export interface KitAddress {
  provider: string;
  driver: string;
  address: string;
}

/** What a kit holds. `identity` is the secret: whoever has it reads all files. */
export interface KitContent {
  cluster: string;
  account: string;
  id: string;
  /** Microseconds since 1970. */
  made: number;
  identity: string;
  addresses: readonly KitAddress[];
}

/** Why a text is no good kit. */
export type Fault =
  | { kind: 'none' | 'operator' | 'newer' }
  /** These lines are not as they were written. */
  | { kind: 'mistyped'; lines: readonly Line[] }
  | { kind: 'missing' | 'doubled'; field: string }
  /** Each line is as it was written, but not all of them are here, or not in their order. */
  | { kind: 'incomplete' }
  /** A line that nobody mistyped says what a kit does not say: whoever wrote it was wrong. */
  | { kind: 'senseless'; field: string };

/** A text is no good kit; `fault` says why. It holds nothing of the secret unless that line was mistyped. */
export class NoKit extends Error {
  constructor(readonly fault: Fault) {
    super(`no kit: ${fault.kind}`);
    this.name = 'NoKit';
  }
}

/** The machine-readable lines. */
export function linesOf(kit: KitContent): string[] {
  return write([
    `${FIRST}: ${FORMAT_VERSION}`,
    `cluster: ${kit.cluster}`,
    `account: ${kit.account}`,
    `kit: ${kit.id}`,
    `made: ${kit.made}`,
    `identity: ${kit.identity}`,
    ...kit.addresses.map((one) => `address: ${[one.provider, one.driver, one.address].map(escape).join(' | ')}`),
  ]);
}

/** The whole page; `words` are for people, with the day in them. */
export function textOf(kit: KitContent, words: (day: string) => string): string {
  return `${words(dayOf(kit))}\n${linesOf(kit).join('\n')}\n`;
}

/** The day it was made, as `2026-01-31`, in UTC. */
export function dayOf({ made }: KitContent): string {
  return new Date(made / 1000).toISOString().slice(0, 10);
}

/** What people call it: long enough to tell one's few kits apart. */
export function shortId(id: string): string {
  return id.slice(0, 8);
}

/** Reads a kit and checks every line of it; throws `NoKit`. */
export function parse(text: string): KitContent {
  const lines = read(text, FIRST);
  if (lines.length === 0) throw new NoKit({ kind: read(text, FIRST_OF_OPERATOR).length > 0 ? 'operator' : 'none' });
  const version = Number(lines[0]?.value);
  if (lines[0]?.good && version > FORMAT_VERSION) throw new NoKit({ kind: 'newer' });
  const bad = lines.filter((line) => !line.good);
  if (bad.length > 0) throw new NoKit({ kind: 'mistyped', lines: bad });
  const written = one(lines, CHECK, /^[0-9a-f]{8}$/);
  if (written !== checkOfAll(lines.filter(({ key }) => key !== CHECK).map((line) => line.text)))
    throw new NoKit({ kind: 'incomplete' });
  if (version !== FORMAT_VERSION) throw new NoKit({ kind: 'senseless', field: FIRST });
  const identity = one(lines, 'identity', /^AGE-SECRET-KEY-1/);
  if (recipientOf(identity) === null) throw new NoKit({ kind: 'senseless', field: 'identity' });
  return {
    cluster: one(lines, 'cluster', ID),
    account: one(lines, 'account', ID),
    id: one(lines, 'kit', ID),
    made: Number(one(lines, 'made', /^-?\d{1,16}$/)),
    identity,
    addresses: lines.filter(({ key }) => key === 'address').map(({ value }) => addressOf(value)),
  };
}

/** The value of the only line with this key. */
function one(lines: readonly Line[], field: string, shape: RegExp): string {
  const found = lines.filter(({ key }) => key === field);
  const value = found[0]?.value;
  if (value === undefined) throw new NoKit({ kind: 'missing', field });
  if (found.length > 1) throw new NoKit({ kind: 'doubled', field });
  if (!shape.test(value)) throw new NoKit({ kind: 'senseless', field });
  return value;
}

function addressOf(value: string): KitAddress {
  const [provider, driver, address, ...more] = value.split('|').map((word) => unescape(word.trim()));
  if (provider == null || driver == null || address == null || more.length > 0)
    throw new NoKit({ kind: 'senseless', field: 'address' });
  return { provider, driver, address };
}
