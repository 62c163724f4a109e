-- Plans, what may be left here without an account, and accounts that are gone for good.

CREATE TABLE plan (
    name TEXT PRIMARY KEY, revision INTEGER NOT NULL, space_bytes INTEGER, file_bytes INTEGER, keep_days INTEGER,
    link_bytes_per_day INTEGER, guest_bytes_per_s INTEGER, ended_us INTEGER
) STRICT, WITHOUT ROWID;
ALTER TABLE limits ADD COLUMN plan TEXT;

ALTER TABLE about ADD COLUMN new_plan TEXT;
ALTER TABLE about ADD COLUMN quick_file_bytes INTEGER;
ALTER TABLE about ADD COLUMN quick_days_max INTEGER;
ALTER TABLE about ADD COLUMN quick_space_bytes INTEGER;
ALTER TABLE about ADD COLUMN quick_bytes_per_day INTEGER;
ALTER TABLE about ADD COLUMN quick_account BLOB;

-- Of such an account there is no other journalled row.
CREATE TABLE account_gone (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, gone_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Current versions by age: what is kept for a number of days is found without a walk.
CREATE INDEX version_made ON version (account, made_us, id) WHERE replaced_at IS NULL;

-- Local: bytes that guests took through an account's links, or left here without an account (its own id), in one day of
-- UTC, counted from 1970.
CREATE TABLE day_traffic (account BLOB PRIMARY KEY, day INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
