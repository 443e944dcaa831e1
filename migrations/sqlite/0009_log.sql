-- One event log for each workspace. Numbers are taken in the transaction that uses them, so their order is that of commits.
CREATE TABLE workspace_counters (
    workspace_id BIGINT PRIMARY KEY NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    n            BIGINT NOT NULL,               -- the last number
    trimmed      BIGINT NOT NULL                -- events up to this number are gone; messages stay
);

-- The workspace of a deleted site: the rows that are still to be purged carry it.
ALTER TABLE sites ADD COLUMN deleted_from BIGINT;
UPDATE sites SET deleted_from = (SELECT c.workspace_id FROM conversations AS c WHERE c.site_id = sites.id LIMIT 1)
    WHERE workspace_id = 0;

-- The messages so far are numbered anew in the order of their ids, which is that of commits.
CREATE TEMP TABLE numbered (id INTEGER PRIMARY KEY NOT NULL, workspace_id BIGINT NOT NULL, n BIGINT NOT NULL);
INSERT INTO numbered (id, workspace_id, n)
    SELECT m.id, m.workspace_id, ROW_NUMBER() OVER (PARTITION BY m.workspace_id ORDER BY m.id)
    FROM (SELECT own.id, COALESCE(NULLIF(s.workspace_id, 0), s.deleted_from, 0) AS workspace_id
        FROM messages AS own LEFT JOIN sites AS s ON s.id = own.site_id) AS m;
INSERT INTO workspace_counters (workspace_id, n, trimmed)
    SELECT w.id, COALESCE(last.n, 0), COALESCE(last.n, 0) FROM workspaces AS w
    LEFT JOIN (SELECT workspace_id, MAX(n) AS n FROM numbered GROUP BY workspace_id) AS last ON last.workspace_id = w.id
    WHERE w.id > 0;

-- n is the number in the workspace's log and orders its messages; seq counts within the conversation.
CREATE TABLE messages_of_workspaces (
    id              INTEGER PRIMARY KEY NOT NULL,
    workspace_id    BIGINT NOT NULL,
    site_id         BIGINT NOT NULL,
    n               BIGINT NOT NULL,
    conversation_id BIGINT NOT NULL,
    seq             BIGINT NOT NULL,
    author_kind     TEXT NOT NULL,              -- 'visitor' | 'operator' | 'api'
    author_id       BIGINT NOT NULL,
    author_name     TEXT,
    client_id       TEXT NOT NULL,
    text            TEXT NOT NULL,
    image_id        BIGINT,
    at              BIGINT NOT NULL
);
INSERT INTO messages_of_workspaces (id, workspace_id, site_id, n, conversation_id, seq, author_kind, author_id, author_name,
        client_id, text, image_id, at)
    SELECT m.id, numbered.workspace_id, m.site_id, numbered.n, m.conversation_id, m.seq, m.author_kind, m.author_id,
        m.author_name, m.client_id, m.text, m.image_id, m.at
    FROM messages AS m JOIN numbered ON numbered.id = m.id ORDER BY m.id;
DROP TABLE numbered;
DROP TABLE messages;
ALTER TABLE messages_of_workspaces RENAME TO messages;
CREATE UNIQUE INDEX messages_n ON messages (workspace_id, site_id, n);
CREATE UNIQUE INDEX messages_seq ON messages (workspace_id, conversation_id, seq);
-- An operator may have used an id on several sites. The first keeps it; the others get their own number to it.
UPDATE messages SET client_id = client_id || '-' || id WHERE id IN (SELECT again.id FROM (
    SELECT m.id, ROW_NUMBER() OVER (PARTITION BY m.workspace_id, m.author_id, m.client_id ORDER BY m.id) AS turn
    FROM messages AS m WHERE m.author_kind = 'operator') AS again WHERE again.turn > 1);
CREATE UNIQUE INDEX messages_client ON messages (workspace_id, author_kind, author_id, client_id);

-- Stored events are dropped: no cursor of before can be read, so every client loads its state anew.
DROP TABLE events;
DROP TABLE site_counters;
-- Bodies refer to messages and never copy their text. That a message was sent is told by its own row.
CREATE TABLE events (
    workspace_id    BIGINT NOT NULL,
    site_id         BIGINT NOT NULL,
    n               BIGINT NOT NULL,
    conversation_id BIGINT,
    visitor_id      BIGINT,
    proof           TEXT,
    kind            TEXT NOT NULL,
    body            TEXT NOT NULL,              -- JSON
    at              BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, site_id, n)
) WITHOUT ROWID;
CREATE INDEX events_conversation ON events (workspace_id, conversation_id, n) WHERE conversation_id IS NOT NULL;
CREATE INDEX events_at ON events (at);
DELETE FROM id_blocks WHERE kind = 'event';
DELETE FROM instance WHERE name = 'trimmed_event';
