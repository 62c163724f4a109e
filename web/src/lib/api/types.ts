/** Answers of the HTTP interface, as they come. Times are RFC 3339 in UTC, sizes are bytes. */

import type { Tied } from './elsewhere';
import type { AccountMail } from './mail';
import type { Limits } from './plans';
import type { Quick, QuickTerms } from './quick';

export type Time = string;
export type Role = 'operator' | 'user';

/** The ladder, from nothing to the strongest promise. */
export type Standing = 'unreadable' | 'at_risk' | 'received' | 'safe' | 'settled' | 'verified';

export type SignUp = 'invitation' | 'open' | 'closed';

/** What a service says of itself to everybody. */
export interface Service {
  name: string;
  version: string;
  sign_up: SignUp;
  /** `#rrggbb`; none: the house colour. */
  colour: string | null;
  /** Its address, from the top of the service. */
  logo: string | null;
  contact: string | null;
  /** Markdown, as are the terms. */
  imprint: string | null;
  terms: string | null;
  /** What an account may keep that was made by open sign-up; none: no limit. */
  new_quota_bytes: number | null;
  /** The plan of an account that was made by open sign-up. */
  new_plan?: string | null;
  /** What may be sent without an account; none: nothing. */
  quick?: Quick | null;
  /** Whether it sends mails. */
  mail?: boolean;
  /** Where one can sign in besides; none: here alone. */
  oidc?: { name: string } | null;
}

/** What operators set of it; what is left out stays. */
export type ServiceTerms = Partial<Omit<Service, 'version' | 'logo' | 'mail' | 'oidc' | 'quick'>> & { quick?: QuickTerms | null };

export interface Account {
  name: string;
  role: Role;
  managed: boolean;
  made: Time;
  used_bytes: number;
  trash_bytes?: number;
  /** None: no limit. */
  quota_bytes: number | null;
  limits?: Limits;
  /** None: the password alone opens. */
  second_factor: SecondFactor | null;
  /** When it is erased, with all its files. */
  leaves: Time | null;
  /** False for one that signs in by other ways alone. */
  password?: boolean;
  mail?: AccountMail | null;
  oidc?: Tied | null;
}

export interface SecondFactor {
  since: Time;
  /** One-time codes that are not used yet. */
  codes_left: number;
}

/** A secret that is not kept yet. */
export interface SecondFactorProposal {
  /** Base32. */
  secret: string;
  /** The same as an `otpauth:` address. */
  address: string;
}

export interface Person {
  name: string;
  role: Role;
  made: Time;
  suspended: Time | null;
  managed: boolean;
  used_bytes: number;
  /** Its own, above what its plan says. */
  quota_bytes: number | null;
  plan?: string | null;
  second_factor: boolean;
  leaves: Time | null;
}

/** What operators set for an account; what is left out stays. */
export interface AccountTerms {
  plan?: string | null;
  suspended?: boolean;
  quota_bytes?: number | null;
  leaves?: boolean;
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

/** An entry that a search found, with its whole path. */
export interface Found extends Entry {
  path: string;
}

export interface FoundPage extends Page<Found> {
  /** Names that this one request looked at. */
  looked_at: number;
}

/** What a file was at one time. */
export interface Version {
  id: string;
  current: boolean;
  size: number;
  modified: Time;
  made: Time;
  media_type: string;
  /** Hex digits, as is the next; that one is known only where somebody asked for it when the file was sent. */
  blake3: string;
  sha256: string | null;
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
  /** Whether others put files into the folder by it, and see nothing of it; `downloads` then counts what came. */
  receives: boolean;
  /** What is asked for, as whoever sends reads it. */
  words: string | null;
  /** Since when the operator has switched it off. */
  off: Time | null;
}

/** What a grant lets somebody do. */
export type Rights = 'read' | 'write';

/** Something that this account shows to another one of the same service. */
export interface Grant {
  id: string;
  /** Where it is now; none if it was thrown away or is gone. */
  path: string | null;
  kind: 'folder' | 'file';
  to: string;
  rights: Rights;
  made: Time;
}

/** Something that another account shows to this one. */
export interface Shared {
  id: string;
  name: string;
  kind: 'folder' | 'file';
  from: string;
  rights: Rights;
  /** None for a folder. */
  size: number | null;
  media_type: string | null;
  etag: string | null;
  modified: Time;
  made: Time;
}

/** What can be set for a share; `null` removes. */
export interface ShareTerms {
  words?: string | null;
  password?: string | null;
  expires?: Time | null;
  downloads_max?: number | null;
}

export interface Link {
  receives: false;
  name: string;
  kind: 'folder' | 'file';
  /** None for a folder. */
  size: number | null;
  media_type: string | null;
  /** None for a folder. */
  etag: string | null;
  modified: Time;
  /** None of what was sent without an account. */
  owner: string | null;
  expires: Time | null;
  downloads_left: number | null;
}

/** What a link shows by which files are received. */
export interface RequestLink {
  receives: true;
  /** Of the folder that they go into. */
  name: string;
  kind: 'folder';
  words: string | null;
  owner: string;
  expires: Time | null;
  files_left: number | null;
}

export type ReportReason = 'illegal' | 'copyright' | 'malware' | 'other';

export interface Report {
  id: string;
  made: Time;
  reason: ReportReason;
  words: string;
  contact: string | null;
  settled: Time | null;
  link: {
    code: string;
    account: string;
    name: string;
    kind: 'folder' | 'file';
    receives: boolean;
    off: Time | null;
    ended: boolean;
  };
}

export interface Kit {
  id: string;
  /** The public half of its secret, `age1…`. */
  recipient: string;
  made: Time;
  revoked: Time | null;
  tested: Time | null;
}

/** A kit just added, with what goes onto its page beside the secret. */
export interface NewKit extends Kit {
  cluster: string;
  account: string;
  /** Where shards lie today. */
  addresses: { provider: string; driver: string; address: string }[];
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
