-- A token that took another's place ends that one when it is first used itself.
ALTER TABLE visitor_tokens ADD COLUMN replaces BIGINT;
CREATE INDEX visitor_tokens_expiry ON visitor_tokens (expires_at);

-- What a key may do, and from where; NULL: from anywhere.
ALTER TABLE chat_keys ADD COLUMN scope TEXT NOT NULL DEFAULT 'all';   -- 'all' | 'read' | 'reply'
ALTER TABLE chat_keys ADD COLUMN networks TEXT;                       -- JSON list

-- Under which terms messages are found; the row's number is the message's. Terms are made by the program: they are words
-- after their owner and a span of messages. No text is kept twice, and no place of a term within its text.
CREATE VIRTUAL TABLE message_terms USING fts5 (
    terms, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);
-- What was added is folded together by the program, a little at a time.
INSERT INTO message_terms (message_terms, rank) VALUES ('automerge', 0);

-- The last message whose terms are in there.
INSERT INTO instance (name, value) VALUES ('indexed_message', '0');
