import type { Fleet } from './api/types';
import type { FleetWords } from './text/en-fleet';

/** The sentence that stands above a report, and how many providers may vanish. */
export interface Headline {
  words: string;
  grade: 'good' | 'warn' | 'bad';
  margin: 0 | 1;
}

/** The worst that is true comes first. Files are what people know; what is inside is said if no file tells of it. */
export function headline(report: Fleet, t: FleetWords): Headline {
  if (report.files_unreadable > 0) return { words: t.unreadable(report.files_unreadable), grade: 'bad', margin: 0 };
  if (report.files_below_safe > 0) return { words: t.atRisk(report.files_below_safe), grade: 'bad', margin: 0 };
  if (report.packs_below_safe + report.records_below_safe > 0) return { words: t.innerAtRisk, grade: 'bad', margin: 0 };
  if (report.files_below_settled > 0)
    return { words: t.unsettled(report.files_below_settled), grade: 'warn', margin: 1 };
  if (report.packs_below_settled > 0) return { words: t.packs(report.packs_below_settled), grade: 'warn', margin: 1 };
  if (report.records_below_settled > 0) return { words: t.inner, grade: 'warn', margin: 1 };
  return { words: t.settled, grade: 'good', margin: 1 };
}

/** What else an operator should know. */
export function remarks(report: Fleet, t: FleetWords): string[] {
  const kits = report.kits_untested > 0 ? [t.kits(report.kits_untested)] : [];
  const operator = report.operator_kit.current ? [] : [t.operatorKit];
  return [...report.findings, ...kits, ...operator];
}
