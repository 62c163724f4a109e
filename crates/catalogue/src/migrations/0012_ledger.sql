-- The ledger: entries are added and never changed.

CREATE TABLE ledger (n INTEGER PRIMARY KEY, revision INTEGER NOT NULL, text TEXT NOT NULL) STRICT;
CREATE INDEX ledger_revision ON ledger (revision);
