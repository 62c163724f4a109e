/** How the kinds of upkeep stand, in words. The service says times and counts; what is too long ago is told here. No state. */
import type { UpkeepJob } from './api/jobs';
import { ago } from './fleet';
import { moment } from './format';
import type { JobsWords } from './text/en-jobs';

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** What a kind is now; what needs a person comes first. */
export type JobState = 'paused' | 'silent' | 'failed' | 'running' | 'waiting';

/** Kinds that end with a pass over everything, so that the next one begins a while after. */
const PASSES: ReadonlySet<string> = new Set(['sample', 'drill']);

const since = (time: string, now: number): number => (now - new Date(time).getTime()) / 1000;

export function jobState({ paused, ended_well, loud_after_s, failed, running }: UpkeepJob, now = Date.now()): JobState {
  if (paused !== null) return 'paused';
  if (ended_well !== null && loud_after_s !== null && since(ended_well, now) > loud_after_s) return 'silent';
  // What went well since is no failure any more.
  if (failed !== null && (ended_well === null || failed.at > ended_well)) return 'failed';
  return running ? 'running' : 'waiting';
}

/** Those that need a person, and all others, each in the order of a round. */
export function sorted(jobs: readonly UpkeepJob[], now = Date.now()): { needing: UpkeepJob[]; others: UpkeepJob[] } {
  const needs = (job: UpkeepJob) => ['paused', 'silent', 'failed'].includes(jobState(job, now));
  return { needing: jobs.filter(needs), others: jobs.filter((job) => !needs(job)) };
}

/** A time as long as it takes to be through: whole days, or hours. */
export function interval(seconds: number, t: JobsWords): string {
  return seconds >= 2 * DAY_S ? t.inDays(Math.round(seconds / DAY_S)) : t.inHours(Math.max(1, Math.round(seconds / HOUR_S)));
}

/** How often a kind is done. */
export function rhythm({ every_s, loud_after_s }: UpkeepJob, t: JobsWords): string {
  if (every_s !== null) return t.every(interval(every_s, t));
  return loud_after_s === null ? t.whenAsked : t.eachRound;
}

/** When a pass begins again, where a kind has passes and one has ended. */
export function nextPass({ kind, every_s, ended_well, paused }: UpkeepJob, t: JobsWords, language: string): string | null {
  if (!PASSES.has(kind) || every_s === null || ended_well === null || paused !== null) return null;
  const next = new Date(new Date(ended_well).getTime() + every_s * 1000);
  return t.next(moment(next.toISOString(), language));
}

/** When it last ended well: soon after in hours, later as a time. */
export function endedWell({ ended_well }: UpkeepJob, t: JobsWords, language: string, now = Date.now()): string {
  if (ended_well === null) return t.notYet;
  const seconds = since(ended_well, now);
  if (seconds < 60) return t.endedWell(t.justNow);
  return t.endedWell(seconds < 2 * DAY_S ? ago(ended_well, language, now) : moment(ended_well, language));
}
