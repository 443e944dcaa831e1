-- File name of a person's picture, which colleagues see.
ALTER TABLE accounts ADD COLUMN photo TEXT;
