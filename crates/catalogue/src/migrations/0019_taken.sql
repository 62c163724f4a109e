-- Local: what is lost with the catalogue, and nobody is harmed.
-- Bytes that guests took of a file by a link that is good for so many downloads, and that are no whole download yet.
CREATE TABLE taken (
  account BLOB NOT NULL, share BLOB NOT NULL, entry BLOB NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (share, entry)
) STRICT, WITHOUT ROWID;
-- How often a link's page was opened.
CREATE TABLE opened (share BLOB PRIMARY KEY, account BLOB NOT NULL, times INTEGER NOT NULL) STRICT, WITHOUT ROWID;
