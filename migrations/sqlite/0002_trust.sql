-- A token that took another's place ends that one when it is first used itself.
ALTER TABLE visitor_tokens ADD COLUMN replaces BIGINT;
CREATE INDEX visitor_tokens_expiry ON visitor_tokens (expires_at);

-- What a key may do, and from where; NULL: from anywhere.
ALTER TABLE chat_keys ADD COLUMN scope TEXT NOT NULL DEFAULT 'all';   -- 'all' | 'read' | 'reply'
ALTER TABLE chat_keys ADD COLUMN networks TEXT;                       -- JSON list
