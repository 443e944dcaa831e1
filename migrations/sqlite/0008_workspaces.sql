-- The customer: it has sites, and members who look after them.
CREATE TABLE workspaces (
    id         BIGINT PRIMARY KEY NOT NULL,
    name       TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
-- Has the sites that are deleted and not purged yet.
INSERT INTO workspaces (id, name, created_at) VALUES (0, '', 0);
-- Each account so far gets a workspace of the same number, so that nothing needs to be indexed anew. Accounts and workspaces
-- take their numbers from one block from now on: no number is both's again.
INSERT INTO workspaces (id, name, created_at) SELECT id, name, created_at FROM accounts WHERE id > 0;

CREATE TABLE members (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    account_id   BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    role         TEXT NOT NULL,                 -- 'owner' | 'admin' | 'operator' | 'viewer'
    sites        TEXT,                          -- JSON list of site ids; NULL: all, those made later included
    active       BOOLEAN NOT NULL DEFAULT TRUE,
    version      BIGINT NOT NULL DEFAULT 1,     -- rises with every change of role, sites or active
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, account_id)
);
CREATE INDEX members_account ON members (account_id);
INSERT INTO members (workspace_id, account_id, role, created_at)
    SELECT id, id, 'owner', created_at FROM accounts WHERE id > 0;

-- Links that make whoever opens one a member; each works once.
CREATE TABLE invitations (
    workspace_id BIGINT NOT NULL REFERENCES workspaces (id) ON DELETE CASCADE,
    id           BIGINT NOT NULL,
    token_hash   BLOB NOT NULL,
    note         TEXT NOT NULL,                 -- for whom it is: a name or an e-mail address
    role         TEXT NOT NULL,
    sites        TEXT,                          -- as in members
    invited_by   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, id)
);
CREATE UNIQUE INDEX invitations_token ON invitations (token_hash);

-- Links that let the holder of an account set a new password; each works once.
CREATE TABLE password_resets (
    account_id BIGINT PRIMARY KEY NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    token_hash BLOB NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX password_resets_token ON password_resets (token_hash);

CREATE TABLE sites_of_workspaces (
    id               BIGINT PRIMARY KEY NOT NULL,
    workspace_id     BIGINT NOT NULL REFERENCES workspaces (id),
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
INSERT INTO sites_of_workspaces (id, workspace_id, name, paused, look, welcome, logo, messages_per_minute, api_per_minute,
        image_bytes, allowed_domains, identity_mode, opaque_agent_ids, seen_page, seen_page_at, created_at)
    SELECT id, owner_id, name, paused, look, welcome, logo, messages_per_minute, api_per_minute,
        image_bytes, allowed_domains, identity_mode, opaque_agent_ids, seen_page, seen_page_at, created_at FROM sites;
DROP TABLE sites;
ALTER TABLE sites_of_workspaces RENAME TO sites;
CREATE INDEX sites_workspace ON sites (workspace_id);
DELETE FROM accounts WHERE id = 0;

DROP INDEX conversations_owner;
DROP INDEX conversations_unread;
ALTER TABLE conversations RENAME COLUMN owner_id TO workspace_id;
CREATE INDEX conversations_workspace ON conversations (workspace_id, state, updated_at);
CREATE INDEX conversations_unread ON conversations (workspace_id, site_id, updated_at, unread_agent)
    WHERE unread_agent > 0;
ALTER TABLE people_words RENAME COLUMN owner_id TO workspace_id;

-- Whose members may read the entry; NULL: the account's own affairs.
DROP TRIGGER audit_stays;
ALTER TABLE audit ADD COLUMN workspace_id BIGINT;
UPDATE audit SET workspace_id = account_id WHERE site_id IS NOT NULL;
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE INDEX audit_workspace ON audit (workspace_id, id) WHERE workspace_id IS NOT NULL;
