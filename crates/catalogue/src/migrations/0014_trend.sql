-- Local: how the fleet stood, hour by hour, for people. Gone with the catalogue, and nobody is harmed.

-- Hours since 1970. margin NULL: something lacked its k good lanes, or nothing was kept.
CREATE TABLE trend (
    hour INTEGER PRIMARY KEY, counted_us INTEGER NOT NULL, margin INTEGER,
    packs INTEGER NOT NULL, packs_unreadable INTEGER NOT NULL,
    packs_below_safe INTEGER NOT NULL, packs_below_settled INTEGER NOT NULL,
    files_unreadable INTEGER NOT NULL, files_below_safe INTEGER NOT NULL, files_below_settled INTEGER NOT NULL,
    backlog_bytes INTEGER NOT NULL -- that repair would read and write to settle everything
) STRICT;
CREATE TABLE trend_margin (
    hour INTEGER NOT NULL, margin INTEGER NOT NULL, packs INTEGER NOT NULL, PRIMARY KEY (hour, margin)
) STRICT, WITHOUT ROWID;
CREATE TABLE trend_stored (
    hour INTEGER NOT NULL, provider BLOB NOT NULL, bytes INTEGER NOT NULL, PRIMARY KEY (hour, provider)
) STRICT, WITHOUT ROWID;
