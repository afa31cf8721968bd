-- The first schema. Its tables and columns are those of src/schema.rs.
-- UUIDs are blobs of 16 bytes; instants are milliseconds since the epoch. What is an agency's
-- holds the agency's number instead of its id: every key begins with it.

CREATE TABLE secrets (
    agency TEXT NOT NULL,
    id INTEGER NOT NULL,
    secret BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (agency, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE agencies (
    -- Never used again: whatever is left behind of an agency cannot become another one's.
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    agency TEXT NOT NULL UNIQUE,
    version INTEGER NOT NULL,
    time_zone TEXT NOT NULL,
    capacity TEXT NOT NULL,
    reserved_labels TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    numbered INTEGER NOT NULL,
    pruned INTEGER NOT NULL,
    -- The latest time of a reseller so far, and how far one was ever behind it when it came: how
    -- much the order of numbers differs from that of times (src/storage/sqlite/stream.rs).
    newest INTEGER NOT NULL DEFAULT 0,
    disorder INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE idempotency (
    agency INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    reseller BLOB NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (agency, idempotency_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (agency, created_at);

CREATE TABLE labels (
    label TEXT NOT NULL PRIMARY KEY,
    agency TEXT NOT NULL,
    reseller BLOB,
    quarantined_until INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX labels_quarantine ON labels (quarantined_until) WHERE quarantined_until IS NOT NULL;

CREATE TABLE resellers (
    -- What the search index knows a row by.
    number INTEGER PRIMARY KEY,
    agency INTEGER NOT NULL REFERENCES agencies (number),
    id BLOB NOT NULL,
    version INTEGER NOT NULL,
    status TEXT NOT NULL,
    deactivation_reason TEXT,
    partner_type TEXT NOT NULL,
    login_domain TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    phone TEXT NOT NULL,
    contact_name TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    contact_phone TEXT NOT NULL,
    website TEXT,
    external_id TEXT,
    metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    sort_name TEXT NOT NULL,
    sort_email TEXT NOT NULL,
    search_text TEXT NOT NULL,
    UNIQUE (agency, id)
) STRICT;

CREATE UNIQUE INDEX resellers_email ON resellers (agency, email_key);
CREATE UNIQUE INDEX resellers_external_id ON resellers (agency, external_id)
    WHERE external_id IS NOT NULL;
-- With the text, so that a search for what is common need not look anywhere else.
CREATE INDEX resellers_by_joined ON resellers (agency, created_at, id, search_text);
CREATE INDEX resellers_by_name ON resellers (agency, sort_name, id);
CREATE INDEX resellers_by_email ON resellers (agency, sort_email, id);
-- They are few among many, and asked for by themselves.
CREATE INDEX resellers_inactive ON resellers (agency, created_at, id) WHERE status = 'inactive';

-- Which rows have a piece of text; src/storage/sqlite/search.rs says how pieces are written. It
-- keeps no text of its own, and what is deleted is taken out at once (S25).
CREATE VIRTUAL TABLE resellers_search USING fts5 (
    pieces, content = '', columnsize = 0, detail = 'none', tokenize = 'ascii'
);
INSERT INTO resellers_search (resellers_search, rank) VALUES ('secure-delete', 1);

CREATE TABLE credentials (
    agency INTEGER NOT NULL,
    reseller BLOB NOT NULL,
    generation BLOB NOT NULL,
    hash TEXT,
    PRIMARY KEY (agency, reseller),
    FOREIGN KEY (agency, reseller) REFERENCES resellers (agency, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempts (
    agency TEXT NOT NULL,
    attempt BLOB NOT NULL,
    failures INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL,
    PRIMARY KEY (agency, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_age ON attempts (agency, blocked_until);

CREATE TABLE events (
    agency INTEGER NOT NULL,
    id TEXT NOT NULL,
    reseller BLOB NOT NULL,
    metric TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (agency, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_age ON events (agency, at);

CREATE TABLE meters (
    agency INTEGER NOT NULL,
    reseller BLOB NOT NULL,
    metric TEXT NOT NULL,
    value INTEGER NOT NULL,
    events INTEGER NOT NULL,
    period INTEGER NOT NULL,
    period_used INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    last_event TEXT,
    usage_limit INTEGER,
    PRIMARY KEY (agency, reseller, metric),
    FOREIGN KEY (agency, reseller) REFERENCES resellers (agency, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollups (
    agency INTEGER NOT NULL,
    day INTEGER NOT NULL,
    reseller BLOB NOT NULL,
    metric TEXT NOT NULL,
    sum INTEGER NOT NULL,
    events INTEGER NOT NULL,
    slots BLOB NOT NULL,
    PRIMARY KEY (agency, day, reseller, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE totals (
    agency INTEGER NOT NULL,
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (agency, name)
) STRICT, WITHOUT ROWID;

-- Entries that have no number yet, in the order of numbering: a reader of the feed numbers them.
CREATE TABLE pending_changes (
    agency INTEGER NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    reseller BLOB,
    actor TEXT,
    fields TEXT NOT NULL,
    PRIMARY KEY (agency, at, version, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    agency INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    reseller BLOB,
    actor TEXT,
    fields TEXT NOT NULL,
    PRIMARY KEY (agency, sequence)
) STRICT, WITHOUT ROWID;
