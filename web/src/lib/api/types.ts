/** Answers of the HTTP interface, as they come. Times are RFC 3339 in UTC, sizes are bytes. */

export type Time = string;
export type Role = 'operator' | 'user';

/** The ladder, from nothing to the strongest promise. */
export type Standing = 'unreadable' | 'at_risk' | 'received' | 'safe' | 'settled' | 'verified';

export interface Service {
  name: string;
  sign_up: string;
  version: string;
}

export interface Account {
  name: string;
  role: Role;
  managed: boolean;
  made: Time;
  used_bytes: number;
  trash_bytes?: number;
  quota_bytes: number | null;
}

export interface Person {
  name: string;
  role: Role;
  made: Time;
  suspended: Time | null;
  managed: boolean;
}

export interface Session {
  id: string;
  made: Time;
  seen: Time;
  agent: string;
  current: boolean;
}

export interface Token {
  id: string;
  label: string;
  made: Time;
  expires: Time | null;
}

export interface Invitation {
  id: string;
  role: Role;
  made: Time;
  expires: Time;
}

export interface Entry {
  name: string;
  kind: 'folder' | 'file';
  size: number;
  modified: Time;
  media_type: string | null;
  etag: string | null;
  state: Standing | null;
  proven: Time | null;
}

/** What a file was at one time. */
export interface Version {
  id: string;
  current: boolean;
  size: number;
  modified: Time;
  made: Time;
  media_type: string;
}

export interface Trashed {
  path: string;
  name: string;
  kind: 'folder' | 'file';
  size: number;
  trashed: Time;
  goes: Time | null;
}

export interface Page<T> {
  entries: T[];
  next: string | null;
}

export interface Share {
  id: string;
  /** Where it is now; none if it was thrown away or is gone. */
  path: string | null;
  kind: 'folder' | 'file' | null;
  code: string;
  password: boolean;
  expires: Time | null;
  downloads_max: number | null;
  downloads: number;
  made: Time;
  ended: Time | null;
}

/** What can be set for a share; `null` removes. */
export interface ShareTerms {
  password?: string | null;
  expires?: Time | null;
  downloads_max?: number | null;
}

export interface Link {
  name: string;
  kind: 'folder' | 'file';
  /** None for a folder. */
  size: number | null;
  media_type: string | null;
  modified: Time;
  owner: string;
  expires: Time | null;
  downloads_left: number | null;
}

export interface Kit {
  id: string;
  made: Time;
  revoked: Time | null;
  tested: Time | null;
}

export type TargetState = 'up' | 'down' | 'suspect' | 'lost' | 'retired';

export interface Target {
  id: string;
  address: string;
  state: TargetState;
  free_bytes: number | null;
  note: string | null;
}

export interface Provider {
  id: string;
  name: string;
  state: TargetState;
  targets: Target[];
}

export interface Job {
  kind: string;
  done_bytes: number;
  total_bytes: number | null;
  note: string | null;
  eta_s: number | null;
}

export interface Fleet {
  scheme: string | null;
  trial: boolean;
  providers: Provider[];
  files_below_safe: number;
  files_below_settled: number;
  files_unreadable: number;
  packs_below_safe: number;
  packs_below_settled: number;
  records_below_safe: number;
  records_below_settled: number;
  kits_untested: number;
  operator_kit: { made: Time | null; current: boolean };
  unpacked_files: number;
  jobs: Job[];
  findings: string[];
}
