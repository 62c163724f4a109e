/**
 * Answers and requests of the HTTP interface, as the page uses them. Their shapes are generated from the interface's
 * description, `docs/openapi.json` (`npm run types`). Times are RFC 3339 in UTC, sizes are bytes.
 */

import type * as wire from './schema';

export type {
  Checkpoint,
  Drilled,
  Entry,
  Evacuation,
  Fleet,
  Found,
  FoundPage,
  Grant,
  Job,
  Kit,
  Lease,
  LedgerEntry,
  Link,
  NewKit,
  Notice,
  Person,
  Provider,
  Receipt,
  ReportReason,
  Rights,
  Role,
  SecondFactor,
  SecondFactorProposal,
  Service,
  Session,
  Share,
  Shared,
  SignUp,
  Standing,
  Target,
  TargetState,
  Time,
  Token,
  Trashed,
  Trend,
  Version,
  WhatIf,
} from './schema';

export type Account = wire.Account;

/** An invitation always ends. */
export type Invitation = wire.Invitation & { expires: wire.Time };

/** A report of a link that is known; what the link shows may be gone. */
export type Report = wire.Report & { link: ReportedLink };
export type ReportedLink = wire.ReportedLink & { name: string; kind: wire.Kind };

/** What operators set of the service; what is left out stays. */
export type ServiceTerms = wire.ServiceChange;

/** Files are asked for by somebody. */
export type RequestLink = wire.RequestLink & { owner: string };

/** What operators set for an account; what is left out stays. */
export type AccountTerms = wire.AccountChange;

/** What can be set for a share; `null` removes. */
export type ShareTerms = wire.ShareChange;

export interface Page<T> {
  entries: T[];
  next: string | null;
}
