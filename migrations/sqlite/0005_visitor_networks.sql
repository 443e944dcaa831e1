-- One of 256 buckets of the network that a browser came from, so that browsers can be told apart roughly. Not an address.
ALTER TABLE visitor_tokens ADD COLUMN network BIGINT;
