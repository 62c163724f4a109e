-- What goes out by itself. Where it goes is journalled; what waits to go is local.

CREATE TABLE mail (
    account BLOB PRIMARY KEY, revision INTEGER NOT NULL,
    address TEXT COLLATE NOCASE, since_us INTEGER,
    wanted TEXT, code BLOB, expires_us INTEGER, language INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_address ON mail (address) WHERE address IS NOT NULL;
CREATE INDEX mail_code ON mail (code) WHERE code IS NOT NULL;

CREATE TABLE webhook (
    account BLOB NOT NULL, id BLOB NOT NULL, revision INTEGER NOT NULL,
    address TEXT NOT NULL, secret BLOB NOT NULL, events BLOB NOT NULL, label TEXT NOT NULL,
    made_us INTEGER NOT NULL, ended_us INTEGER, off_us INTEGER, why TEXT,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_revision ON webhook (account, revision);

-- Local: mails that wait. Their words may hold a one-time address, so a row goes as soon as it was sent.
CREATE TABLE mail_queue (
    id BLOB PRIMARY KEY, account BLOB, about TEXT NOT NULL,
    address TEXT NOT NULL, subject TEXT NOT NULL, words TEXT NOT NULL,
    made_us INTEGER NOT NULL, due_us INTEGER NOT NULL, tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_queue_due ON mail_queue (due_us);
CREATE INDEX mail_queue_account ON mail_queue (account);

-- Local: of how much of its quota an account was told, in percent.
CREATE TABLE quota_told (account BLOB PRIMARY KEY, percent INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- Local: events that wait for a webhook.
CREATE TABLE event (
    id BLOB PRIMARY KEY, account BLOB NOT NULL, hook BLOB NOT NULL, kind INTEGER NOT NULL, at_us INTEGER NOT NULL,
    path TEXT, size INTEGER, entry BLOB, version BLOB, share BLOB,
    due_us INTEGER NOT NULL, tries INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX event_hook ON event (account, hook, due_us);
CREATE INDEX event_due ON event (due_us);

-- Local: how it goes with a webhook. not_before_us: until then nothing is tried. failing_us: since when all failed.
CREATE TABLE hook_standing (
    account BLOB NOT NULL, hook BLOB NOT NULL,
    last_us INTEGER, last_kind INTEGER, status INTEGER, trouble TEXT,
    not_before_us INTEGER NOT NULL, failing_us INTEGER, failures INTEGER NOT NULL,
    PRIMARY KEY (account, hook)
) STRICT, WITHOUT ROWID;
