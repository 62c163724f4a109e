import { ask, send } from './http';
import type { NewReport, ReportChange, Reports } from './schema';
import type { Report } from './types';

export type { NewReport };

/** What a guest says of a link; it needs no account, and no password of the link either. */
export const report = (code: string, said: NewReport) => send('POST', `links/${encodeURIComponent(code)}/report`, said);

// What operators do.

/** Open ones first, then those settled last. Where the link itself is no longer known, nothing is left to be done. */
export const reports = async (): Promise<Report[]> =>
  (await ask<Reports>('GET', 'reports')).reports.flatMap(({ link, ...report }) =>
    link === null ? [] : [{ ...report, link: { ...link, name: link.name ?? '–', kind: link.kind ?? 'file' } }],
  );
export const settle = (id: string, settled: boolean) => change(id, { settled });
/** Switches the link of a report off or on; the bytes behind it are not touched. */
export const turn = (id: string, link: 'off' | 'on') => change(id, { link });

function change(id: string, terms: ReportChange) {
  return send('PATCH', `reports/${encodeURIComponent(id)}`, terms);
}
