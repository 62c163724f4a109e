-- Local: what is lost with the catalogue, and nobody is harmed.
-- Bytes that guests took of a file by a link that is good for so many downloads, and that are no whole download yet.
CREATE TABLE taken (
  account BLOB NOT NULL, share BLOB NOT NULL, entry BLOB NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (share, entry)
) STRICT, WITHOUT ROWID;
-- How often a link's page was opened.
CREATE TABLE opened (share BLOB PRIMARY KEY, account BLOB NOT NULL, times INTEGER NOT NULL) STRICT, WITHOUT ROWID;
-- Uploads that have become a version, for whoever did not hear of it.
CREATE TABLE upload_done (
  account BLOB NOT NULL, id BLOB NOT NULL, way TEXT NOT NULL, length INTEGER NOT NULL, version BLOB NOT NULL,
  entry BLOB NOT NULL, expires_us INTEGER NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_done_expires ON upload_done (expires_at);
