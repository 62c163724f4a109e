import { ask, send } from './http';
import type { Report, ReportReason } from './types';

/** What a guest says of a link; it needs no account, and no password of the link either. */
export interface NewReport {
  reason: ReportReason;
  words: string;
  contact?: string;
}

export const report = (code: string, said: NewReport) => send('POST', `links/${encodeURIComponent(code)}/report`, said);

// What operators do.

/** Open ones first, then those settled last. */
export const reports = async () => (await ask<{ reports: Report[] }>('GET', 'reports')).reports;
export const settle = (id: string, settled: boolean) => change(id, { settled });
/** Switches the link of a report off or on; the bytes behind it are not touched. */
export const turn = (id: string, link: 'off' | 'on') => change(id, { link });

function change(id: string, terms: { settled: boolean } | { link: 'off' | 'on' }) {
  return send('PATCH', `reports/${encodeURIComponent(id)}`, terms);
}
