-- What logs in at a target, sealed to the service identity. Local: it is in no journal and no snapshot, and after a rebuild it
-- comes from the operator's kit.
CREATE TABLE login (target BLOB PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
