-- What was ordered of targets: nothing new there, everything away from there, its end.
CREATE TABLE target_orders (
    target BLOB PRIMARY KEY, revision INTEGER NOT NULL, cordoned INTEGER NOT NULL,
    evacuation BLOB, ordered_us INTEGER, by_us INTEGER, paused INTEGER,
    evacuated_us INTEGER, packs_read INTEGER, packs_listed INTEGER, objects_read INTEGER, objects_listed INTEGER,
    retired_us INTEGER, keeps_shards INTEGER
) STRICT, WITHOUT ROWID;

-- What is to be deleted at a target is known by its name.
CREATE INDEX object_name ON object (name);
