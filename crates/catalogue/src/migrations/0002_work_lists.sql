-- What upkeep looks for is found by an index, however many packs and objects there are.

-- bytes: of the locations that the pack was recorded with; what live_bytes is measured against. Kept by `apply`.
ALTER TABLE pack ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
UPDATE pack SET bytes = (SELECT coalesce(sum(l.bytes), 0) FROM location l WHERE l.pack = pack.id);
-- Packs that are dead, or worth a look because half of them is.
CREATE INDEX pack_hollow ON pack (live_bytes, id) WHERE live_bytes * 2 <= bytes;

CREATE INDEX object_released ON object (id) WHERE released_at IS NOT NULL;
