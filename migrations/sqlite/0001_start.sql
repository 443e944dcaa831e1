-- Times are milliseconds UTC. Where a credential is kept, only its SHA-256 is.

CREATE TABLE instance (
    name  TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE id_blocks (
    kind TEXT PRIMARY KEY NOT NULL,
    next BIGINT NOT NULL
);

-- accounts ---------------------------------------------------------------

CREATE TABLE accounts (
    id            BIGINT PRIMARY KEY NOT NULL,
    email         TEXT NOT NULL,
    name          TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_email ON accounts (email);

CREATE TABLE sessions (
    id           BIGINT PRIMARY KEY NOT NULL,
    account_id   BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash   BLOB NOT NULL,
    address      TEXT NOT NULL,
    browser      TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE UNIQUE INDEX sessions_token ON sessions (token_hash);
CREATE INDEX sessions_account ON sessions (account_id);

-- Codes by which an account shows that it holds a device. The secret is sealed under the master key.
CREATE TABLE second_factors (
    account_id BIGINT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    sealed     BLOB NOT NULL,
    enabled    BOOLEAN NOT NULL,               -- false until a first code was shown
    last_step  BIGINT NOT NULL,                -- a code works once: later ones only
    created_at BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    hash       BLOB NOT NULL,
    PRIMARY KEY (account_id, hash)
);

-- audit ------------------------------------------------------------------

-- Outlives the accounts and sites that it tells of.
CREATE TABLE audit (
    id         BIGINT PRIMARY KEY NOT NULL,
    account_id BIGINT,
    site_id    BIGINT,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    network    TEXT NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX audit_account ON audit (account_id, id);
CREATE INDEX audit_at ON audit (at);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;

-- sites ------------------------------------------------------------------

CREATE TABLE sites (
    id               BIGINT PRIMARY KEY NOT NULL,
    owner_id         BIGINT NOT NULL REFERENCES accounts (id),
    name             TEXT NOT NULL,
    paused           BOOLEAN NOT NULL DEFAULT FALSE,
    look             TEXT NOT NULL,             -- JSON
    welcome          TEXT NOT NULL,             -- JSON, language to text
    logo             TEXT,                      -- file name
    messages_per_minute BIGINT NOT NULL,
    api_per_minute   BIGINT NOT NULL,
    image_bytes      BIGINT NOT NULL,
    allowed_domains  TEXT NOT NULL,             -- JSON list
    identity_mode    TEXT NOT NULL,
    opaque_agent_ids BOOLEAN NOT NULL DEFAULT FALSE,
    seen_page        TEXT,
    seen_page_at     BIGINT,
    created_at       BIGINT NOT NULL
);
CREATE INDEX sites_owner ON sites (owner_id);

-- Public keys of the embed snippet.
CREATE TABLE widget_keys (
    site_id    BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (site_id, key)
);
CREATE UNIQUE INDEX widget_keys_key ON widget_keys (key);

-- Secret keys of the open API.
CREATE TABLE chat_keys (
    site_id      BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id           BIGINT NOT NULL,
    hash         BLOB NOT NULL,
    last4        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    expires_at   BIGINT,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX chat_keys_hash ON chat_keys (hash);

-- Secrets that sign visitors' identities; sealed under the master key, which is not in the database.
CREATE TABLE identity_secrets (
    site_id      BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id           BIGINT NOT NULL,
    sealed       BLOB NOT NULL,
    last4        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    PRIMARY KEY (site_id, id)
);

-- Floods of new visitors, as they were noticed.
CREATE TABLE attacks (
    site_id    BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    began_at   BIGINT NOT NULL,
    ended_at   BIGINT,                          -- NULL: under way
    settled_at BIGINT,                          -- the owner cleaned up after it, or said that all is well
    PRIMARY KEY (site_id, began_at)
);

-- visitors ---------------------------------------------------------------

CREATE TABLE visitors (
    site_id       BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id            BIGINT NOT NULL,
    public_id     TEXT NOT NULL,                -- 'visitor_…', random
    external_id   TEXT NOT NULL,
    anonymous     BOOLEAN NOT NULL,             -- external_id was made by the widget
    verified      BOOLEAN NOT NULL DEFAULT FALSE,
    nickname      TEXT,
    email         TEXT,
    attributes    TEXT NOT NULL DEFAULT '{}',   -- JSON
    page_url      TEXT,
    page_title    TEXT,
    page_referrer TEXT,
    browser       TEXT,
    mobile        BOOLEAN NOT NULL DEFAULT FALSE,
    locale        TEXT,
    timezone      TEXT,
    first_seen_at BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX visitors_external ON visitors (site_id, external_id);

CREATE TABLE visitor_tokens (
    site_id      BIGINT NOT NULL,
    id           BIGINT NOT NULL,
    visitor_id   BIGINT NOT NULL,
    token_hash   BLOB NOT NULL,
    proof        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, visitor_id) REFERENCES visitors (site_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX visitor_tokens_hash ON visitor_tokens (token_hash);
CREATE INDEX visitor_tokens_visitor ON visitor_tokens (site_id, visitor_id);

-- conversations ----------------------------------------------------------

CREATE TABLE conversations (
    site_id               BIGINT NOT NULL,
    id                    BIGINT NOT NULL,
    public_id             TEXT NOT NULL,        -- random, what the visitor's page sees
    visitor_id            BIGINT NOT NULL,
    proof                 TEXT NOT NULL,        -- who among those who claim to be this visitor
    state                 TEXT NOT NULL,        -- 'open' | 'closed'
    last_seq              BIGINT NOT NULL DEFAULT 0,
    visitor_delivered_seq BIGINT NOT NULL DEFAULT 0,
    visitor_seen_seq      BIGINT NOT NULL DEFAULT 0,
    agent_delivered_seq   BIGINT NOT NULL DEFAULT 0,
    agent_seen_seq        BIGINT NOT NULL DEFAULT 0,
    unread_agent          BIGINT NOT NULL DEFAULT 0,
    unread_visitor        BIGINT NOT NULL DEFAULT 0,
    created_at            BIGINT NOT NULL,
    updated_at            BIGINT NOT NULL,
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, visitor_id) REFERENCES visitors (site_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX conversations_public ON conversations (public_id);
CREATE UNIQUE INDEX conversations_one_open ON conversations (site_id, visitor_id, proof) WHERE state = 'open';
CREATE INDEX conversations_visitor ON conversations (site_id, visitor_id);
CREATE INDEX conversations_recent ON conversations (site_id, state, updated_at);
CREATE INDEX conversations_unread ON conversations (site_id, updated_at) WHERE unread_agent > 0;

-- messages ---------------------------------------------------------------

-- n is the number in the site's event log and orders messages over the whole site; seq counts within the conversation.
CREATE TABLE messages (
    id              INTEGER PRIMARY KEY NOT NULL,
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
CREATE UNIQUE INDEX messages_n ON messages (site_id, n);
CREATE UNIQUE INDEX messages_seq ON messages (site_id, conversation_id, seq);
CREATE UNIQUE INDEX messages_client ON messages (site_id, author_kind, author_id, client_id);

CREATE TABLE images (
    site_id       BIGINT NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    id            BIGINT NOT NULL,
    name          TEXT NOT NULL,                -- public file name, random
    thumb_name    TEXT NOT NULL,
    width         BIGINT NOT NULL,
    height        BIGINT NOT NULL,
    animated      BOOLEAN NOT NULL,
    bytes         BIGINT NOT NULL,
    sha256        BLOB NOT NULL,
    author_kind   TEXT NOT NULL,
    author_id     BIGINT NOT NULL,
    attached      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (site_id, id)
);
CREATE UNIQUE INDEX images_name ON images (name);
CREATE INDEX images_loose ON images (site_id, created_at) WHERE NOT attached;

-- Files whose rows are gone, to be removed from the store of files.
CREATE TABLE leftover_files (
    folder TEXT NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (folder, name)
);

-- events -----------------------------------------------------------------

CREATE TABLE site_counters (
    site_id BIGINT PRIMARY KEY NOT NULL REFERENCES sites (id) ON DELETE CASCADE,
    n       BIGINT NOT NULL,
    trimmed BIGINT NOT NULL DEFAULT 0           -- events up to this number are gone
);

-- Bodies refer to messages and never copy their text. That a message was sent is told by its own row.
CREATE TABLE events (
    site_id         BIGINT NOT NULL,
    n               BIGINT NOT NULL,
    conversation_id BIGINT,
    visitor_id      BIGINT,
    proof           TEXT,
    kind            TEXT NOT NULL,
    body            TEXT NOT NULL,              -- JSON
    at              BIGINT NOT NULL,
    PRIMARY KEY (site_id, n)
);
CREATE INDEX events_conversation ON events (site_id, conversation_id, n);
CREATE INDEX events_at ON events (at);
