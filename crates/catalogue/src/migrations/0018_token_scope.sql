-- How much a token of access may do: 0 look, 1 change files as well, 2 everything. Those that were made before may do everything.
ALTER TABLE token ADD COLUMN scope INTEGER NOT NULL DEFAULT 2;
