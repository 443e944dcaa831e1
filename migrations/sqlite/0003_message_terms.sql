-- Under which terms messages are found; the row's number is the message's. Terms are made by the program: they are words
-- after their owner and a span of messages. No text is kept twice, and no place of a term within its text.
CREATE VIRTUAL TABLE message_terms USING fts5 (
    terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
-- What was added is folded together by the program, a little at a time.
INSERT INTO message_terms (message_terms, rank) VALUES ('automerge', 0);

-- The last message whose terms are in there.
INSERT INTO instance (name, value) VALUES ('indexed_message', '0');
