/** Tests a kit as far as a browser can: its text, and whether the service seals for its secret. */

import { kits, notifyTested } from '../api/kits';
import type { Language } from '../text/language.svelte';
import type { KitWords } from '../text/en-kit';
import { day } from '../format';
import { NoKit, parse, shortId, type Fault } from './kit';
import { recipientOf } from './secret';

/** Letters that no kit has, however many providers it names. */
const LETTERS_MAX = 100_000;

/** What is wrong, in words: in a sentence before a list, in the list, and in one after it. */
export interface Verdict {
  what: string;
  lines: readonly string[];
  todo: string;
}

/** The text is no good kit of this account. */
export class BadKit extends Error {
  constructor(readonly verdict: Verdict) {
    super('no good kit');
    this.name = 'BadKit';
  }
}

/**
 * Tests a text, and has the service note it. Returns the kit's id.
 *
 * Throws `BadKit` with what is wrong, or what the service said. `wanted` is the id of the kit that it should be.
 */
export async function testKit(text: string, wanted: string | null, words: KitWords, language: Language): Promise<string> {
  const refuse = (what: string): never => {
    throw new BadKit({ what, lines: [], todo: '' });
  };
  if (text.length > LETTERS_MAX) refuse(words.fault.long);
  const { id, identity } = readKit(text, words);
  const known = (await kits()).find((kit) => kit.id === id);
  const short = shortId(id);
  if (known === undefined) return refuse(words.fault.unknown(short));
  if (known.recipient !== recipientOf(identity)) return refuse(words.fault.recipient);
  if (known.revoked !== null) return refuse(words.fault.revoked(short, day(known.revoked, language)));
  if (wanted !== null && id !== wanted) return refuse(words.fault.other(short, shortId(wanted)));
  await notifyTested(id);
  return id;
}

function readKit(text: string, words: KitWords) {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof NoKit) throw new BadKit(verdict(error.fault, words));
    throw error;
  }
}

function verdict(fault: Fault, { fault: words }: KitWords): Verdict {
  switch (fault.kind) {
    case 'mistyped': {
      // The beginning of a line names it, and shows none of the secret even if its key was lost.
      const lines = fault.lines.map(({ number, key }) => words.line(number, key.slice(0, 16)));
      return { what: words.mistyped(lines.length), lines, todo: words.mend };
    }
    case 'missing':
    case 'doubled':
    case 'senseless':
      return { what: words[fault.kind](fault.field), lines: [], todo: '' };
    default:
      return { what: words[fault.kind], lines: [], todo: '' };
  }
}
