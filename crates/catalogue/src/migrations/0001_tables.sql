-- Ids are 16 random bytes, times are microseconds since 1970 (`_us`) or service seconds (`_at`), sizes are bytes.
-- A scope is an account's id, or no bytes at all for the cluster.

CREATE TABLE meta (name TEXT PRIMARY KEY, number INTEGER, bytes BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE scope (
    id BLOB PRIMARY KEY,
    revision INTEGER NOT NULL,
    covered INTEGER NOT NULL -- by settled snapshots, from the first revision on
) STRICT, WITHOUT ROWID;

-- Journalled, cluster -------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL,
    name TEXT NOT NULL, managed INTEGER NOT NULL, made_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX account_name ON account (name);

CREATE TABLE provider (id BLOB PRIMARY KEY, revision INTEGER NOT NULL, name TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE provider_label (
    provider BLOB NOT NULL, position INTEGER NOT NULL, label TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (provider, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE target (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL,
    provider BLOB NOT NULL, address TEXT NOT NULL, driver TEXT NOT NULL,
    generation INTEGER NOT NULL, state INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- k = 0: only its makes are known so far.
CREATE TABLE pack (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, makes_revision INTEGER NOT NULL,
    k INTEGER NOT NULL, codec INTEGER NOT NULL, cell_bytes INTEGER NOT NULL,
    live_bytes INTEGER NOT NULL -- of its locations whose segment has a use; kept by `apply`
) STRICT, WITHOUT ROWID;
CREATE INDEX pack_revision ON pack (revision);
CREATE INDEX pack_makes_revision ON pack (makes_revision);

CREATE TABLE make (
    pack BLOB NOT NULL, lane INTEGER NOT NULL, make BLOB NOT NULL,
    target BLOB NOT NULL, lane_bytes INTEGER NOT NULL, root BLOB NOT NULL,
    PRIMARY KEY (pack, lane, make)
) STRICT, WITHOUT ROWID;
CREATE INDEX make_target ON make (target, pack);

-- lane NULL: striped over the data lanes.
CREATE TABLE location (
    segment BLOB PRIMARY KEY, revision INTEGER NOT NULL,
    pack BLOB NOT NULL, lane INTEGER, first INTEGER NOT NULL, bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX location_pack ON location (pack);

CREATE TABLE pack_gone (id BLOB PRIMARY KEY, revision INTEGER NOT NULL, gone_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX pack_gone_revision ON pack_gone (revision);

-- Journalled, accounts ------------------------------------------------------------------------------------------------

CREATE TABLE kit (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL,
    recipient TEXT NOT NULL, made_us INTEGER NOT NULL, revoked_us INTEGER, tested_us INTEGER,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;

-- slot: the folder in which the entry takes its name; NULL in the trash, where it takes none.
CREATE TABLE entry (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL,
    parent BLOB NOT NULL, slot BLOB, name TEXT NOT NULL, kind INTEGER NOT NULL, modified_us INTEGER NOT NULL,
    trashed_at INTEGER, trashed_us INTEGER, current BLOB,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entry_slot ON entry (account, slot, name);
CREATE INDEX entry_revision ON entry (account, revision);
CREATE INDEX entry_trash ON entry (account, trashed_at, id) WHERE slot IS NULL;

CREATE TABLE entry_gone (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_gone_revision ON entry_gone (account, revision);

-- segments: 56 bytes each: id, salt, plaintext bytes (little-endian). sealed: an inline file's frames.
CREATE TABLE version (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL,
    entry BLOB NOT NULL, size INTEGER NOT NULL, modified_us INTEGER NOT NULL, made_us INTEGER NOT NULL,
    media_type TEXT NOT NULL, blake3 BLOB NOT NULL, crc32 INTEGER NOT NULL, sha256 BLOB, file_key BLOB NOT NULL,
    replaced_at INTEGER, segments BLOB NOT NULL, sealed BLOB,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_entry ON version (account, entry);
CREATE INDEX version_revision ON version (account, revision);
CREATE INDEX version_replaced ON version (account, replaced_at, id) WHERE replaced_at IS NOT NULL;

CREATE TABLE version_gone (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX version_gone_revision ON version_gone (account, revision);

-- user: the version that consists of the segment, or the upload that will.
CREATE TABLE segment_use (
    segment BLOB NOT NULL, account BLOB NOT NULL, user BLOB NOT NULL, PRIMARY KEY (segment, account, user)
) STRICT, WITHOUT ROWID;

-- Local ---------------------------------------------------------------------------------------------------------------

CREATE TABLE account_secret (
    account BLOB PRIMARY KEY, envelope BLOB NOT NULL, generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE token (
    hash BLOB PRIMARY KEY, account BLOB NOT NULL, id BLOB NOT NULL, made_us INTEGER NOT NULL, expires_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX token_account ON token (account, id);

CREATE TABLE target_seen (
    target BLOB PRIMARY KEY, state INTEGER NOT NULL, since_us INTEGER NOT NULL, generation INTEGER NOT NULL,
    note TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- No row: good by its record, never read back.
CREATE TABLE make_state (
    pack BLOB NOT NULL, make BLOB NOT NULL, state INTEGER NOT NULL,
    verified_us INTEGER, verified_at INTEGER NOT NULL, verified_generation INTEGER NOT NULL,
    PRIMARY KEY (pack, make)
) STRICT, WITHOUT ROWID;
CREATE INDEX make_state_bad ON make_state (state, pack) WHERE state <> 0;

CREATE TABLE intent (pack BLOB PRIMARY KEY, open_at INTEGER NOT NULL, generation INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Where a small file's sealed bytes lie until they are packed.
CREATE TABLE journalled (
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, first INTEGER NOT NULL, bytes INTEGER NOT NULL,
    object BLOB NOT NULL, segment BLOB NOT NULL,
    PRIMARY KEY (epoch, seq, first)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX journalled_segment ON journalled (segment);

CREATE TABLE object (
    id BLOB PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, bytes INTEGER NOT NULL, hash BLOB NOT NULL,
    released_at INTEGER, good_copies INTEGER NOT NULL -- kept by `objects`
) STRICT, WITHOUT ROWID;
CREATE INDEX object_thin ON object (good_copies, id) WHERE released_at IS NULL;
CREATE TABLE object_copy (
    object BLOB NOT NULL, target BLOB NOT NULL, state INTEGER NOT NULL,
    verified_us INTEGER, verified_at INTEGER NOT NULL, verified_generation INTEGER NOT NULL,
    PRIMARY KEY (object, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_copy_target ON object_copy (target, object);

CREATE TABLE journal_object (
    epoch INTEGER NOT NULL, seq INTEGER NOT NULL, id BLOB NOT NULL, stamp INTEGER NOT NULL, prev BLOB NOT NULL,
    PRIMARY KEY (epoch, seq, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE journal_scope (
    object BLOB NOT NULL, scope BLOB NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (object, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE layer (
    scope BLOB NOT NULL, id BLOB NOT NULL, from_revision INTEGER NOT NULL, to_revision INTEGER NOT NULL,
    row_count INTEGER NOT NULL, bytes INTEGER NOT NULL, objects BLOB NOT NULL,
    PRIMARY KEY (scope, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE doomed (
    target BLOB NOT NULL, name TEXT NOT NULL, reason TEXT NOT NULL, decided_at INTEGER NOT NULL, not_before INTEGER NOT NULL,
    PRIMARY KEY (target, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX doomed_due ON doomed (not_before);

CREATE TABLE upload (
    account BLOB NOT NULL, id BLOB NOT NULL, path TEXT NOT NULL, length INTEGER, metadata TEXT NOT NULL,
    received INTEGER NOT NULL, state BLOB NOT NULL, file_key BLOB NOT NULL,
    made_us INTEGER NOT NULL, made_at INTEGER NOT NULL, expires_us INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    holder BLOB,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_expires ON upload (expires_at);

CREATE TABLE job (
    kind TEXT NOT NULL, subject BLOB NOT NULL,
    owner BLOB, term INTEGER NOT NULL, until_us INTEGER NOT NULL,
    done INTEGER NOT NULL, total INTEGER NOT NULL, note TEXT NOT NULL, started_us INTEGER NOT NULL, updated_us INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY, wall_us INTEGER NOT NULL, account BLOB, verb TEXT NOT NULL, subject TEXT NOT NULL
) STRICT;
