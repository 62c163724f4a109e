/** Words of upkeep in English, which operators see. `de-jobs.ts` has the same keys. */
import type { UpkeepJob } from '../api/jobs';

const many = (n: number, one: string, more: string) => `${n.toLocaleString('en')} ${n === 1 ? one : more}`;
const sentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/** What is said of a kind. */
export interface JobSaid {
  name: string;
  what: string;
  /** What a pause means; none: it cannot be paused. */
  pause: string | null;
}

export const enJobs = {
  title: 'Jobs',
  lead: 'What the service does by itself, in rounds, without anybody asking. Most kinds can be left out for a while; that keeps nothing else from going on.',
  needing: 'Paused, silent or failed',
  others: 'As they should be',
  allWell: 'Nothing is paused, silent or failed.',
  about: ({ kind, what, pause_means }: UpkeepJob): JobSaid => ({
    name: NAMES[kind] ?? kind,
    what: sentence(what),
    pause: pause_means === null ? null : sentence(pause_means),
  }),
  states: { paused: 'paused', silent: 'silent', failed: 'failed', running: 'at work', waiting: 'waits for its turn' },
  pausedBy: (who: string, when: string) => `Paused by ${who} since ${when}.`,
  silent: (time: string) => `It did not end well for longer than ${time}. What it does is overdue.`,
  failed: (when: string, why: string) => `Failed ${when}: ${why}`,
  failedTodo: 'It is tried again in the next round.',
  jobOf: (done: string, all: string) => `${done} of ${all}`,
  left: (time: string) => `about ${time} left`,
  endedWell: (when: string) => `Last ended well ${when}`,
  justNow: 'a moment ago',
  notYet: 'Has not ended well yet',
  every: (time: string) => `through everything in ${time}`,
  eachRound: 'in each round',
  whenAsked: 'only when somebody asks',
  next: (when: string) => `next one about ${when}`,
  loud: (time: string) => `a notice after ${time} of silence`,
  inDays: (n: number) => many(n, 'day', 'days'),
  inHours: (n: number) => many(n, 'hour', 'hours'),
  needed: 'Cannot be paused',
  pause: 'Pause',
  pauseOf: (name: string) => `Pause: ${name}`,
  pauseMeanwhile: 'Meanwhile:',
  pauseSilence: (time: string) => `After ${time} without it a notice reminds you. Nothing resumes by itself.`,
  pauseNoSilence: 'Nothing reminds you of it, and nothing resumes by itself.',
  pauseRuns: 'What runs now is not broken off.',
  paused: (name: string) => `Paused: ${name}`,
  resume: 'Resume',
  resumeOf: (name: string) => `Resume: ${name}`,
  resumed: (name: string) => `It goes on: ${name}`,
};

const NAMES: Readonly<Record<string, string>> = {
  probe: 'Look at targets',
  return: 'Compare what came back',
  uploads: 'End abandoned uploads',
  repair: 'Repair',
  pack: 'Pack small files',
  snapshot: 'Write snapshots',
  count: 'Count copied objects',
  checkpoint: 'Sign the ledger',
  release: 'Let the journal go',
  keys: 'Destroy keys',
  released: 'Delete copied objects',
  evacuate: 'Move everything away',
  sample: 'Sample',
  scrub: 'Scrub',
  repack: 'Repack',
  fill: 'Fill new targets',
  reclaim: 'Reclaim',
  listing: 'Listing',
  retire: 'Retire targets',
  books: 'Keep the books',
  drill: 'Drill',
};
export type JobsWords = typeof enJobs;
