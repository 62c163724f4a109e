-- Leases, and notices served by firms, on firms and by the service itself.

CREATE TABLE lease (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, provider BLOB NOT NULL, contract TEXT NOT NULL, price TEXT NOT NULL,
    month_micros INTEGER, currency TEXT NOT NULL, notice_address TEXT NOT NULL, notice_days INTEGER NOT NULL,
    ends_us INTEGER, paid_until_us INTEGER, state INTEGER NOT NULL,
    desk_hash BLOB, desk_account BLOB, desk_made_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX lease_revision ON lease (revision);
CREATE INDEX lease_contract ON lease (contract);
CREATE TABLE lease_server (
    lease BLOB NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, site TEXT NOT NULL, targets BLOB NOT NULL,
    PRIMARY KEY (lease, position)
) STRICT, WITHOUT ROWID;

-- Names of servers have no line breaks: they are kept as lines.
CREATE TABLE notice (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, provider BLOB, lease BLOB, served INTEGER NOT NULL,
    cause TEXT NOT NULL, addressee TEXT NOT NULL, servers TEXT NOT NULL, targets BLOB NOT NULL, deadline_us INTEGER,
    text TEXT NOT NULL, content BLOB NOT NULL,
    document TEXT, document_sha256 BLOB, document_bytes INTEGER, document_account BLOB, document_entry BLOB,
    state INTEGER NOT NULL, made_us INTEGER NOT NULL, acknowledged_by BLOB, acknowledged_us INTEGER,
    changed_us INTEGER NOT NULL, supersedes BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_revision ON notice (revision);
CREATE INDEX notice_made ON notice (made_us, id);
CREATE INDEX notice_lease ON notice (lease, made_us);
-- What needs a person, or holds.
CREATE INDEX notice_open ON notice (made_us, id) WHERE state NOT IN (3, 4, 6);

-- Local: how often operators were told of a notice, and what a statement of ours was last served for.
CREATE TABLE notice_told (
    notice BLOB PRIMARY KEY, times INTEGER NOT NULL, told_us INTEGER NOT NULL, covered TEXT NOT NULL
) STRICT, WITHOUT ROWID;
