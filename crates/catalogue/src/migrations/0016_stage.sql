-- Labels that keep providers apart: those with the same value of one count as one firm.
CREATE TABLE fleet_constraint (
    label TEXT PRIMARY KEY, revision INTEGER NOT NULL, holds INTEGER NOT NULL, changed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
