/** What staged changes are and would do, line by line, in words. No state. */
import type { StagedShown, StageEffect, StageSide } from './api/stage';
import { money } from './fleet';
import { count, day, size } from './format';
import type { StageWords } from './text/en-stage';

/** Two sides of one line, and whether the second is the worse one. */
export interface Compared {
  name: string;
  before: string;
  after: string;
  worse: boolean;
}

/** A change as a person would say it. */
export function inWords(change: StagedShown, t: StageWords, language: string): string {
  const { verb, provider, server, target, label, value, by, keep_shards } = change;
  const whom = server !== null ? t.server(server, provider) : (provider ?? target ?? '');
  switch (verb) {
    case 'label':
      return value === null || value === '' ? t.unlabel(whom, label ?? '') : t.label(whom, label ?? '', value);
    case 'constrain':
      return t.constrain(label ?? '');
    case 'unconstrain':
      return t.unconstrain(label ?? '');
    case 'evacuate':
      return t.evacuate(whom, by === null ? '' : day(by, language));
    case 'retire':
      return keep_shards ? t.retireKeep(whom) : t.retire(whom);
    case 'cordon':
      return t.cordon(whom);
    case 'uncordon':
      return t.uncordon(whom);
    case 'cancel':
      return t.cancel(whom);
  }
}

/** What storing costs a month; unknown as soon as one price is. */
function costs({ costs_month }: StageSide, t: StageWords, language: string): string {
  if (costs_month === null) return t.unknown;
  if (costs_month.length === 0) return t.nothing;
  return costs_month.map(({ month, currency }) => money(month, currency, language)).join('; ');
}

function room({ free_bytes, silent_targets }: StageSide, t: StageWords, language: string): string {
  const free = size(free_bytes, language);
  return silent_targets === 0 ? free : t.roomAtLeast(free, silent_targets);
}

/** How the fleet stands before and after; what is nothing on both sides is left out. */
export function compared({ before, after }: StageEffect, t: StageWords, language: string): Compared[] {
  const number = (value: number) => count(value, language);
  const margin = (side: StageSide) => (side.margin === null ? t.noMargin : number(side.margin));
  const words = (name: string, one: string, other: string, worse = false): Compared => {
    return { name, before: one, after: other, worse };
  };
  const harm = (name: string, one: number, other: number, always = false): Compared[] =>
    one + other === 0 && !always ? [] : [words(name, number(one), number(other), other > one)];
  const groups = (side: StageSide) => side.as_one.map((names) => names.join(' + ')).join('; ') || t.none;
  return [
    words(t.margin, margin(before), margin(after), (after.margin ?? -1) < (before.margin ?? -1)),
    words(t.firms, number(before.firms), number(after.firms), after.firms < before.firms),
    ...(before.as_one.length + after.as_one.length === 0 ? [] : [words(t.asOne, groups(before), groups(after))]),
    words(t.scheme, before.scheme ?? t.noScheme, after.scheme ?? t.noScheme, after.scheme === null),
    ...harm(t.unreadable, before.files_unreadable, after.files_unreadable, true),
    ...harm(t.belowSafe, before.files_below_safe, after.files_below_safe, true),
    ...harm(t.belowSettled, before.files_below_settled, after.files_below_settled),
    ...harm(t.packsBelowSafe, before.packs_below_safe, after.packs_below_safe),
    ...harm(t.packsBelowSettled, before.packs_below_settled, after.packs_below_settled),
    ...harm(t.recordsBelowSafe, before.records_below_safe, after.records_below_safe),
    words(t.room, room(before, t, language), room(after, t, language)),
    words(t.costs, costs(before, t, language), costs(after, t, language)),
  ];
}

/** What the loss of each firm would do, before and after: worst kind of loss first. */
export function losses({ firms }: StageEffect, language: string): { firm: string; unreadable: Compared; belowSafe: Compared }[] {
  const line = (name: string, one: number, other: number): Compared => {
    return { name, before: count(one, language), after: count(other, language), worse: other > one };
  };
  return firms.map(({ provider, before, after }) => ({
    firm: provider,
    unreadable: line(provider, before.files_unreadable, after.files_unreadable),
    belowSafe: line(provider, before.files_below_safe, after.files_below_safe),
  }));
}

/** Whether bytes are deleted because of one of them. */
export const deletes = (changes: readonly { change: StagedShown }[]): boolean =>
  changes.some(({ change }) => change.verb === 'retire' && !change.keep_shards);
