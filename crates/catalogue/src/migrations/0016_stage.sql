-- Labels that keep providers apart: those with the same value of one count as one firm.
CREATE TABLE fleet_constraint (
    label TEXT PRIMARY KEY, revision INTEGER NOT NULL, holds INTEGER NOT NULL, changed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Local: changes of the fleet that were said and not done yet, in their order. Which of the columns say something depends on the verb.
CREATE TABLE staged (
    position INTEGER PRIMARY KEY, account BLOB NOT NULL, said_us INTEGER NOT NULL, verb TEXT NOT NULL,
    provider TEXT, server TEXT, target TEXT, label TEXT, value TEXT, by_us INTEGER, flag INTEGER NOT NULL
) STRICT;
