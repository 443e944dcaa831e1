-- Which stretches of 512 message numbers have a word at all; the row's number is the stretch's. Made as message_terms is.
CREATE VIRTUAL TABLE stretch_terms USING fts5 (
    terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
INSERT INTO stretch_terms (stretch_terms, rank) VALUES ('automerge', 0);

-- Parts are folded two by two: a search looks into each of them.
INSERT INTO stretch_terms (stretch_terms, rank) VALUES ('usermerge', 2);
INSERT INTO message_terms (message_terms, rank) VALUES ('usermerge', 2);

-- The last message number whose stretch is in there.
INSERT INTO instance (name, value) VALUES ('last_stretched_message', '0');

-- The spans in the terms of messages are shorter than they were: all are indexed anew.
INSERT INTO message_terms (message_terms) VALUES ('delete-all');
UPDATE instance SET value = '0' WHERE name = 'indexed_message';
