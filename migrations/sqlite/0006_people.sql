-- What is known of a visitor, for each proof of being it: a stranger who types somebody's id changes nothing of what was
-- said under another proof.
CREATE TABLE people (
    site_id       BIGINT NOT NULL,
    id            BIGINT NOT NULL,
    visitor_id    BIGINT NOT NULL,
    proof         TEXT NOT NULL,
    nickname      TEXT,
    email         TEXT,
    attributes    TEXT,                         -- JSON
    page_url      TEXT,
    page_title    TEXT,
    page_referrer TEXT,
    browser       TEXT,
    mobile        BOOLEAN NOT NULL DEFAULT FALSE,
    locale        TEXT,
    timezone      TEXT,
    first_seen_at BIGINT NOT NULL,
    last_seen_at  BIGINT NOT NULL,
    indexed       BOOLEAN NOT NULL DEFAULT FALSE,   -- its words are in people_words
    PRIMARY KEY (site_id, id),
    FOREIGN KEY (site_id, visitor_id) REFERENCES visitors (site_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX people_proof ON people (site_id, visitor_id, proof);
CREATE INDEX people_unindexed ON people (id) WHERE NOT indexed;

-- A row for each proof under which somebody wrote or holds a token. It is not known who said what of a verified visitor:
-- the claims go to those who share its thread, and to nobody else.
INSERT INTO people (site_id, id, visitor_id, proof, nickname, email, attributes, page_url, page_title, page_referrer,
        browser, mobile, locale, timezone, first_seen_at, last_seen_at)
    SELECT v.site_id, ROW_NUMBER() OVER (ORDER BY v.id, shown.proof), v.id, shown.proof, v.nickname, v.email, v.attributes,
        v.page_url, v.page_title, v.page_referrer, v.browser, v.mobile, v.locale, v.timezone, v.first_seen_at, v.last_seen_at
    FROM (SELECT site_id, visitor_id, proof FROM conversations
        UNION SELECT site_id, visitor_id, proof FROM visitor_tokens) AS shown
    JOIN visitors AS v ON v.site_id = shown.site_id AND v.id = shown.visitor_id
    WHERE NOT v.verified OR shown.proof IN ('signed', 'shared');
-- Anybody who typed the id of a signed visitor may have made these claims. Its page says them again at the next arrival.
UPDATE people SET nickname = NULL, email = NULL, attributes = NULL, page_url = NULL, page_title = NULL,
    page_referrer = NULL, browser = NULL, mobile = FALSE, locale = NULL, timezone = NULL WHERE proof = 'signed';
-- Removing a person must remove what it said: no second copy stays in visitors. Nothing reads these columns any more;
-- last_seen_at is written once, when a visitor is added, because it may not be NULL.
UPDATE visitors SET nickname = NULL, email = NULL, attributes = '{}', page_url = NULL, page_title = NULL,
    page_referrer = NULL, browser = NULL, mobile = FALSE, locale = NULL, timezone = NULL;
INSERT INTO id_blocks (kind, next) SELECT 'person', COALESCE(MAX(id), 0) + 1 FROM people;
-- Consoles that were away load anew: those events do not say of whom they tell.
UPDATE events SET kind = 'broken_off', body = '{"kind":"broken_off"}' WHERE kind = 'visitor_changed';

-- Under which words people are found, made by the program; a span is 16,384 people in the order of their numbers.
CREATE TABLE people_words (
    owner_id  BIGINT NOT NULL,
    span      BIGINT NOT NULL,
    word      TEXT NOT NULL,
    person_id BIGINT NOT NULL,
    site_id   BIGINT NOT NULL,
    PRIMARY KEY (owner_id, span, word, person_id),
    FOREIGN KEY (site_id, person_id) REFERENCES people (site_id, id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX people_words_person ON people_words (site_id, person_id);

-- A visitor's conversations are asked for by proof.
DROP INDEX conversations_visitor;
CREATE INDEX conversations_visitor ON conversations (site_id, visitor_id, proof);

-- The secret whose signature a token came by: when it is deleted, the token is good no longer. Of an older token that is
-- certain only where the site has one secret, from before the token; where this stays NULL, the visitor must sign again.
ALTER TABLE visitor_tokens ADD COLUMN identity_secret BIGINT;
UPDATE visitor_tokens SET identity_secret = (SELECT MIN(s.id) FROM identity_secrets AS s
    WHERE s.site_id = visitor_tokens.site_id
    HAVING COUNT(*) = 1 AND MIN(s.created_at) <= visitor_tokens.created_at) WHERE proof = 'signed';

-- When somebody last showed in this session that it is them.
ALTER TABLE sessions ADD COLUMN confirmed_at BIGINT NOT NULL DEFAULT 0;
