-- The first schema. Its tables and columns are those of src/schema.rs.
-- Text is compared by code points whatever the database's locale; instants are milliseconds
-- since the epoch. The agency leads every key but that of labels, which are unique across
-- agencies.

CREATE TABLE partnerkit.secrets (
    agency text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    secret bytea NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (agency, id)
);

CREATE TABLE partnerkit.agencies (
    agency text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    time_zone text COLLATE "C" NOT NULL,
    capacity text COLLATE "C" NOT NULL,
    reserved_labels text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    numbered bigint NOT NULL,
    pruned bigint NOT NULL,
    PRIMARY KEY (agency)
);

CREATE TABLE partnerkit.idempotency (
    agency text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL,
    reseller uuid NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (agency, idempotency_key)
);

CREATE INDEX idempotency_age ON partnerkit.idempotency (agency, created_at);

CREATE TABLE partnerkit.labels (
    label text COLLATE "C" NOT NULL,
    agency text COLLATE "C" NOT NULL,
    reseller uuid,
    quarantined_until bigint,
    PRIMARY KEY (label)
);

CREATE INDEX labels_quarantine ON partnerkit.labels (quarantined_until);

CREATE TABLE partnerkit.resellers (
    agency text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    version bigint NOT NULL,
    status text COLLATE "C" NOT NULL,
    deactivation_reason text COLLATE "C",
    partner_type text COLLATE "C" NOT NULL,
    login_domain text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    email text COLLATE "C" NOT NULL,
    email_key text COLLATE "C" NOT NULL,
    phone text COLLATE "C" NOT NULL,
    contact_name text COLLATE "C" NOT NULL,
    contact_email text COLLATE "C" NOT NULL,
    contact_phone text COLLATE "C" NOT NULL,
    website text COLLATE "C",
    external_id text COLLATE "C",
    metadata text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    sort_name text COLLATE "C" NOT NULL,
    sort_email text COLLATE "C" NOT NULL,
    search_text text COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, id),
    CONSTRAINT resellers_agency FOREIGN KEY (agency) REFERENCES partnerkit.agencies (agency)
);

CREATE UNIQUE INDEX resellers_email ON partnerkit.resellers (agency, email_key);
CREATE UNIQUE INDEX resellers_external_id ON partnerkit.resellers (agency, external_id);
CREATE INDEX resellers_by_joined ON partnerkit.resellers (agency, created_at, id);
CREATE INDEX resellers_by_name ON partnerkit.resellers (agency, sort_name, id);
CREATE INDEX resellers_by_email ON partnerkit.resellers (agency, sort_email, id);
-- They are few among many, and asked for by themselves.
CREATE INDEX resellers_inactive ON partnerkit.resellers (agency, created_at, id)
    WHERE status = 'inactive';

-- A search for what is rare. The agency is part of the index, so that a large agency's rows are
-- in no other one's way; what is common the planner finds by walking down the list, and it needs
-- more than the usual statistics to tell one from the other. What is not sorted in yet is looked
-- through by each search, so there may be little of it. Both extensions come with PostgreSQL
-- and may be made by whoever owns the database; where they are already, that is where they stay.
ALTER TABLE partnerkit.resellers ALTER COLUMN search_text SET STATISTICS 1000;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA partnerkit;
CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA partnerkit;
DO $$
DECLARE
    of_agency text;
    of_text text;
BEGIN
    SELECT quote_ident(n.nspname) || '.text_ops' INTO STRICT of_agency FROM pg_extension AS e
        JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'btree_gin';
    SELECT quote_ident(n.nspname) || '.gin_trgm_ops' INTO STRICT of_text FROM pg_extension AS e
        JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_trgm';
    EXECUTE 'CREATE INDEX resellers_search ON partnerkit.resellers USING gin (agency '
        || of_agency || ', search_text ' || of_text || ') WITH (gin_pending_list_limit = 512)';
END
$$;

CREATE TABLE partnerkit.credentials (
    agency text COLLATE "C" NOT NULL,
    reseller uuid NOT NULL,
    generation bytea NOT NULL,
    hash text COLLATE "C",
    PRIMARY KEY (agency, reseller),
    CONSTRAINT credentials_reseller FOREIGN KEY (agency, reseller)
        REFERENCES partnerkit.resellers (agency, id)
);

CREATE TABLE partnerkit.attempts (
    agency text COLLATE "C" NOT NULL,
    attempt bytea NOT NULL,
    failures bigint NOT NULL,
    blocked_until bigint NOT NULL,
    PRIMARY KEY (agency, attempt)
);

CREATE INDEX attempts_age ON partnerkit.attempts (agency, blocked_until);

CREATE TABLE partnerkit.events (
    agency text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    reseller uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    quantity bigint NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (agency, id)
);

CREATE INDEX events_age ON partnerkit.events (agency, at);

CREATE TABLE partnerkit.meters (
    agency text COLLATE "C" NOT NULL,
    reseller uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    value bigint NOT NULL,
    events bigint NOT NULL,
    period bigint NOT NULL,
    period_used bigint NOT NULL,
    last_at bigint NOT NULL,
    last_event text COLLATE "C",
    usage_limit bigint,
    PRIMARY KEY (agency, reseller, metric),
    CONSTRAINT meters_reseller FOREIGN KEY (agency, reseller)
        REFERENCES partnerkit.resellers (agency, id)
);

CREATE TABLE partnerkit.rollups (
    agency text COLLATE "C" NOT NULL,
    day bigint NOT NULL,
    reseller uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    sum bigint NOT NULL,
    events bigint NOT NULL,
    slots bytea NOT NULL,
    PRIMARY KEY (agency, day, reseller, metric)
);

CREATE TABLE partnerkit.totals (
    agency text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    value bigint NOT NULL,
    PRIMARY KEY (agency, name)
);

CREATE TABLE partnerkit.pending_changes (
    agency text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    version bigint NOT NULL,
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    reseller uuid,
    actor text COLLATE "C",
    fields text COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, at, version, id)
);

CREATE TABLE partnerkit.changes (
    agency text COLLATE "C" NOT NULL,
    sequence bigint NOT NULL,
    at bigint NOT NULL,
    version bigint NOT NULL,
    id uuid NOT NULL,
    kind text COLLATE "C" NOT NULL,
    reseller uuid,
    actor text COLLATE "C",
    fields text COLLATE "C" NOT NULL,
    PRIMARY KEY (agency, sequence)
);
