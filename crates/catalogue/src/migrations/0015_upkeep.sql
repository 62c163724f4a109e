-- Local: how the kinds of upkeep stand, and what drills found last. Gone with the catalogue, and begun again.

-- *_at is service time, *_us the wall clock. ended NULL: not yet. paused NULL: it runs.
CREATE TABLE upkeep (
    kind TEXT PRIMARY KEY, known_at INTEGER NOT NULL,
    ended_us INTEGER, ended_at INTEGER,
    paused_us INTEGER, paused_by TEXT
) STRICT, WITHOUT ROWID;

-- holes and away: one in each line. passed_us: when one passed last, this one or one before it.
CREATE TABLE drill (
    provider BLOB PRIMARY KEY, at_us INTEGER NOT NULL, complete INTEGER NOT NULL,
    packs INTEGER NOT NULL, packs_unreadable INTEGER NOT NULL,
    records INTEGER NOT NULL, records_unreadable INTEGER NOT NULL,
    files_unreadable INTEGER NOT NULL, bytes INTEGER NOT NULL,
    holes TEXT NOT NULL, away TEXT NOT NULL, passed_us INTEGER
) STRICT, WITHOUT ROWID;
