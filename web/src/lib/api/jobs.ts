import { ask } from './http';
import type { JobAct, UpkeepJob, UpkeepJobs } from './schema';

// What upkeep does by itself, and what operators hold of it.

export type { UpkeepJob };

export const jobs = async () => (await ask<UpkeepJobs>('GET', 'fleet/jobs')).jobs;
/** Pauses a kind, or lets it go on; how it stands then. */
export const orderJob = (kind: string, act: JobAct) => ask<UpkeepJob>('POST', 'fleet/jobs', { kind, act });
