import type { Fleet, Provider, Target, WhatIf } from './api/types';
import { size, span } from './format';
import type { FleetWords } from './text/en-fleet';

export type Grade = 'good' | 'warn' | 'bad';

/** A sentence, and how good or bad it is. */
export interface Said {
  words: string;
  grade: Grade;
}

/** The sentence above a report. The worst that is true comes first. Files are what people know; what is inside is said if no file tells of it. */
export function headline(report: Fleet, t: FleetWords): Said {
  if (report.files_unreadable > 0) return { words: t.unreadable(report.files_unreadable), grade: 'bad' };
  if (report.files_below_safe > 0) return { words: t.atRisk(report.files_below_safe), grade: 'bad' };
  if (report.packs_below_safe + report.records_below_safe > 0) return { words: t.innerAtRisk, grade: 'bad' };
  if (report.files_below_settled > 0) return { words: t.unsettled(report.files_below_settled), grade: 'warn' };
  if (report.packs_below_settled > 0) return { words: t.packs(report.packs_below_settled), grade: 'warn' };
  if (report.records_below_settled > 0) return { words: t.inner, grade: 'warn' };
  return { words: t.settled, grade: 'good' };
}

/** What else an operator should know. */
export function remarks(report: Fleet, t: FleetWords): string[] {
  const kits = report.kits_untested > 0 ? [t.kits(report.kits_untested)] : [];
  const operator = report.operator_kit.current ? [] : [t.operatorKit];
  return [...report.findings, ...kits, ...operator];
}

/** What the loss of one provider would do, for its tile. */
export function without({ without: then }: Provider, t: FleetWords): Said {
  if (then.files_unreadable > 0) return { words: t.withoutBad(then.files_unreadable), grade: 'bad' };
  if (then.records_unreadable > 0) return { words: t.withoutRecords, grade: 'bad' };
  if (then.files_below_safe > 0) return { words: t.withoutRisk(then.files_below_safe), grade: 'warn' };
  if (then.records_below_safe > 0) return { words: t.withoutRecordsRisk, grade: 'warn' };
  return { words: t.withoutGood, grade: 'good' };
}

/** What the loss of several would do. */
export function consequence(then: WhatIf, t: FleetWords): Said {
  if (then.files_unreadable > 0) return { words: t.ifLost(then.files_unreadable), grade: 'bad' };
  if (then.records_unreadable > 0) return { words: t.ifRecords, grade: 'bad' };
  if (then.files_below_safe > 0) return { words: t.ifEdge(then.files_below_safe), grade: 'warn' };
  if (then.records_below_safe > 0 || then.margin === 0) return { words: t.ifEdgeInner, grade: 'warn' };
  return then.margin === null ? { words: t.ifNothing, grade: 'good' } : { words: t.ifEasy(then.margin), grade: 'good' };
}

/** Names as a sentence has them: `amber, birch and cedar`. */
export const listed = (names: readonly string[], language: string): string =>
  new Intl.ListFormat(language, { type: 'conjunction' }).format(names);

/** An amount of the service's, which has decimals as it counts them, with its currency if it has one. */
export function money(amount: string, currency: string | null, language: string): string {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 6 };
  const number = new Intl.NumberFormat(language, digits).format(Number(amount));
  return currency === null ? number : `${number} ${currency}`;
}

/** What stands beside a consequence, line by line. What nobody knows is said to be unknown. */
export function figures(then: WhatIf, t: FleetWords, language: string): { name: string; value: string }[] {
  const { repair } = then;
  const number = (value: number) => new Intl.NumberFormat(language).format(value);
  const lines = [
    { name: t.lostFiles, value: number(then.files_unreadable) },
    { name: t.riskFiles, value: number(then.files_below_safe) },
    { name: t.marginLeft, value: then.margin === null || then.margin === 0 ? t.noMargin : number(then.margin) },
  ];
  if (repair.stuck > 0) lines.push({ name: t.stuck, value: t.parts(repair.stuck) });
  if (repair.gone > 0) lines.push({ name: t.lostParts, value: t.parts(repair.gone) });
  if (repair.packs + repair.records === 0) return [...lines, { name: t.repairMoves, value: t.noRepair }];
  lines.push({ name: t.repairMoves, value: t.moves(size(repair.read_bytes, language), size(repair.write_bytes, language)) });
  const limit = repair.limit_s === null ? [] : [t.atLimit(span(repair.limit_s, language), repair.budget_of)];
  const measured = repair.measured_s === null ? [] : [t.atMeasured(span(repair.measured_s, language))];
  const takes = [...limit, ...measured];
  lines.push({ name: t.repairTakes, value: takes.length === 0 ? t.timeUnknown : takes.join(', ') });
  if (repair.uses_up.length > 0) lines.push({ name: t.repairUsesUp, value: t.usesUp(listed(repair.uses_up, language)) });
  const cost = (one: { once: string; storing_month: string; currency: string | null }) =>
    t.costs(money(one.once, one.currency, language), money(one.storing_month, one.currency, language));
  const costs = repair.costs === null ? t.pricesUnknown(listed(repair.unpriced, language)) : repair.costs.map(cost).join('; ');
  return [...lines, { name: t.repairCosts, value: costs }];
}

/** How full a target is, from 0 to 1; none where it cannot tell what is free. */
export function fullness(target: Pick<Target, 'stored_bytes' | 'free_bytes'>): number | null {
  if (target.free_bytes === null) return null;
  const all = target.stored_bytes + target.free_bytes;
  return all === 0 ? 0 : target.stored_bytes / all;
}

/** Bytes at all targets of a provider; free ones if all of them can tell. */
export function room(provider: Provider): { stored_bytes: number; free_bytes: number | null } {
  const stored_bytes = provider.targets.reduce((sum, target) => sum + target.stored_bytes, 0);
  const up = provider.targets.filter((target) => target.state === 'up');
  const free = up.length === 0 ? null : up.reduce<number | null>((sum, { free_bytes }) => (sum === null || free_bytes === null ? null : sum + free_bytes), 0);
  return { stored_bytes, free_bytes: free };
}

/** How long ago something was, in its greatest unit. */
export function ago(time: string, language: string, now = Date.now()): string {
  const seconds = Math.min(0, Math.round((new Date(time).getTime() - now) / 1000));
  const format = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  if (seconds > -60) return format.format(seconds, 'second');
  if (seconds > -3600) return format.format(Math.round(seconds / 60), 'minute');
  return format.format(Math.round(seconds / 3600), 'hour');
}
