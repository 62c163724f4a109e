-- Which providers were fenced off in a drill, and in the one that passed last: 16 bytes each. Of drills before, the one is known.
ALTER TABLE drill ADD COLUMN without BLOB NOT NULL DEFAULT x'';
ALTER TABLE drill ADD COLUMN passed_without BLOB NOT NULL DEFAULT x'';
UPDATE drill SET without = provider, passed_without = CASE WHEN passed_us IS NULL THEN x'' ELSE provider END;
