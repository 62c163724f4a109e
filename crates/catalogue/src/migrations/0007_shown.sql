-- What others get to see or send, the face of the service, and accounts that are to be deleted.

-- receives: takes files instead of showing them. off_us: since when the operator keeps it from being opened.
ALTER TABLE share ADD COLUMN receives INTEGER NOT NULL DEFAULT 0;
ALTER TABLE share ADD COLUMN words TEXT NOT NULL DEFAULT '';
ALTER TABLE share ADD COLUMN off_us INTEGER;

CREATE TABLE granted (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL,
    entry BLOB NOT NULL, receiver BLOB NOT NULL, writes INTEGER NOT NULL, made_us INTEGER NOT NULL, ended_us INTEGER,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX granted_receiver ON granted (receiver, made_us) WHERE ended_us IS NULL;
CREATE INDEX granted_revision ON granted (account, revision);

CREATE TABLE report (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, account BLOB NOT NULL, share BLOB NOT NULL, reason INTEGER NOT NULL,
    words TEXT NOT NULL, contact TEXT, made_us INTEGER NOT NULL, settled_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX report_made ON report (settled_us, made_us);
CREATE INDEX report_revision ON report (revision);

-- One row at most: its key is 1.
CREATE TABLE about (
    one INTEGER PRIMARY KEY, revision INTEGER NOT NULL, name TEXT, sign_up INTEGER NOT NULL, new_space_bytes INTEGER,
    colour BLOB, logo_type TEXT, logo BLOB, contact TEXT, imprint TEXT, terms TEXT
) STRICT;

-- Since when, on service time and on the wall, an account is to be deleted.
ALTER TABLE sign_in ADD COLUMN leaving_at INTEGER;
ALTER TABLE sign_in ADD COLUMN leaving_us INTEGER;

-- Local: by which grant or link an upload came, if it is not its account's own.
ALTER TABLE upload ADD COLUMN way TEXT NOT NULL DEFAULT '';
