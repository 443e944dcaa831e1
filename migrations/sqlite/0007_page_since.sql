-- Since when the visitor is on its page; none for pages that were kept before.
ALTER TABLE people ADD COLUMN page_since BIGINT;
