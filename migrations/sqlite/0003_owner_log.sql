-- Events are numbered over the whole database in the order of commits, as messages are. Who hears many sites keeps these
-- two numbers, and not one for each of its sites.
CREATE TABLE events_numbered (
    id              INTEGER PRIMARY KEY NOT NULL,
    site_id         BIGINT NOT NULL,
    n               BIGINT NOT NULL,
    conversation_id BIGINT,
    visitor_id      BIGINT,
    proof           TEXT,
    kind            TEXT NOT NULL,
    body            TEXT NOT NULL,              -- JSON
    at              BIGINT NOT NULL
);
INSERT INTO events_numbered (id, site_id, n, conversation_id, visitor_id, proof, kind, body, at)
    SELECT rowid, site_id, n, conversation_id, visitor_id, proof, kind, body, at FROM events;
DROP TABLE events;
ALTER TABLE events_numbered RENAME TO events;
CREATE UNIQUE INDEX events_n ON events (site_id, n);
CREATE INDEX events_conversation ON events (site_id, conversation_id, n);
CREATE INDEX events_at ON events (at);
INSERT INTO id_blocks (kind, next) SELECT 'event', COALESCE(MAX(id), 0) + 1 FROM events;

-- The last event that was removed because it was old.
INSERT INTO instance (name, value) VALUES ('trimmed_event', '0');

-- Who owns the site, which never changes: the inbox of one account is read in one piece, however many sites it has.
ALTER TABLE conversations ADD COLUMN owner_id BIGINT NOT NULL DEFAULT 0;
UPDATE conversations SET owner_id = (SELECT s.owner_id FROM sites AS s WHERE s.id = conversations.site_id);
CREATE INDEX conversations_owner ON conversations (owner_id, state, updated_at);
DROP INDEX conversations_unread;
CREATE INDEX conversations_unread ON conversations (owner_id, site_id, updated_at, unread_agent)
    WHERE unread_agent > 0;
