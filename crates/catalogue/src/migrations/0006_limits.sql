-- Second factors, what accounts may take and do take, and folders in other orders than that of names.

-- since: when it was turned on. codes: 32 bytes each, BLAKE3 of one-time codes that were not used yet.
ALTER TABLE sign_in ADD COLUMN second_secret BLOB;
ALTER TABLE sign_in ADD COLUMN second_since_us INTEGER;
ALTER TABLE sign_in ADD COLUMN second_codes BLOB;

-- Local: the latest step of time whose six digits were used. Each opens once.
CREATE TABLE second_used (account BLOB PRIMARY KEY, step INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE limits (
    account BLOB PRIMARY KEY, revision INTEGER NOT NULL, space_bytes INTEGER
) STRICT, WITHOUT ROWID;

-- What an account's versions take together, kept by the triggers below: asked at every upload.
CREATE TABLE space (account BLOB PRIMARY KEY, bytes INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO space (account, bytes) SELECT account, sum(size) FROM version GROUP BY account;
DROP INDEX version_size;
CREATE TRIGGER space_taken AFTER INSERT ON version BEGIN
    INSERT INTO space (account, bytes) VALUES (new.account, new.size)
        ON CONFLICT (account) DO UPDATE SET bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER space_given AFTER DELETE ON version BEGIN
    UPDATE space SET bytes = bytes - old.size WHERE account = old.account;
END;
CREATE TRIGGER space_changed AFTER UPDATE OF size ON version WHEN new.size <> old.size BEGIN
    UPDATE space SET bytes = bytes - old.size + new.size WHERE account = new.account;
END;

-- The size of an entry's current version; 0 for a folder.
ALTER TABLE entry ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
UPDATE entry SET size = coalesce(
    (SELECT v.size FROM version v WHERE v.account = entry.account AND v.id = entry.current), 0);
CREATE INDEX entry_modified ON entry (account, slot, modified_us, id) WHERE slot IS NOT NULL;
CREATE INDEX entry_size ON entry (account, slot, size, id) WHERE slot IS NOT NULL;
