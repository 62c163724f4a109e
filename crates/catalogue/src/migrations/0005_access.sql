-- Who may come in: passwords, tokens and links are journalled; sessions of browsers are not.

CREATE TABLE sign_in (
    account BLOB PRIMARY KEY, revision INTEGER NOT NULL,
    role INTEGER NOT NULL, password TEXT, suspended_us INTEGER, changed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- opens: 0 access, 1 an invitation of a user, 2 of an operator, 3 a new password. Rows of revision 0 were made before
-- tokens were journalled: they are good, but not in the journal.
ALTER TABLE token RENAME TO token_before;
DROP INDEX token_account;
CREATE TABLE token (
    id BLOB PRIMARY KEY, revision INTEGER NOT NULL, hash BLOB NOT NULL, account BLOB NOT NULL, opens INTEGER NOT NULL,
    label TEXT NOT NULL, made_us INTEGER NOT NULL, expires_us INTEGER, ended_us INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO token (id, revision, hash, account, opens, label, made_us, expires_us)
    SELECT id, 0, hash, account, 0, '', made_us, expires_us FROM token_before;
DROP TABLE token_before;
CREATE UNIQUE INDEX token_hash ON token (hash);
CREATE INDEX token_account ON token (account, made_us);
CREATE INDEX token_revision ON token (revision);

CREATE TABLE share (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL,
    entry BLOB NOT NULL, code BLOB NOT NULL, password TEXT, expires_us INTEGER,
    downloads_max INTEGER, downloads INTEGER NOT NULL, made_us INTEGER NOT NULL, ended_us INTEGER,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX share_code ON share (code);
CREATE INDEX share_revision ON share (account, revision);

-- What an account's versions take, without a look at the versions themselves.
CREATE INDEX version_size ON version (account, size);

-- Local: a browser that is signed in, by the hash of its cookie.
CREATE TABLE session (
    hash BLOB PRIMARY KEY, id BLOB NOT NULL, account BLOB NOT NULL, agent TEXT NOT NULL,
    made_us INTEGER NOT NULL, seen_us INTEGER NOT NULL, expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account, made_us);
