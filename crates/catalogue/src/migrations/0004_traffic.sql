-- Local: what the firms were asked for and what it may cost. Gone with the catalogue, and nobody is harmed.

-- Of a calendar month in UTC, counted from January of the year 0.
CREATE TABLE traffic (
    provider BLOB NOT NULL, month INTEGER NOT NULL,
    puts INTEGER NOT NULL, parts INTEGER NOT NULL, gets INTEGER NOT NULL,
    heads INTEGER NOT NULL, lists INTEGER NOT NULL, deletes INTEGER NOT NULL,
    in_bytes INTEGER NOT NULL, out_bytes INTEGER NOT NULL, stored_kb_s INTEGER NOT NULL,
    PRIMARY KEY (provider, month)
) STRICT, WITHOUT ROWID;

-- How much lay there when it was last added up; from then on it is taken to be the same.
CREATE TABLE stored (provider BLOB PRIMARY KEY, bytes INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
