-- Which providers were fenced off in a drill, and in the one that passed last: 16 bytes each. Nothing is known of drills before.
ALTER TABLE drill ADD COLUMN without BLOB NOT NULL DEFAULT x'';
ALTER TABLE drill ADD COLUMN passed_without BLOB NOT NULL DEFAULT x'';
