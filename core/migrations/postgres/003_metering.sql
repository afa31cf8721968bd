-- An event that is taken back stays known.
ALTER TABLE partnerkit.events ADD COLUMN voided bigint NOT NULL DEFAULT 0;
ALTER TABLE partnerkit.events ALTER COLUMN voided DROP DEFAULT;

-- A counter's day and a gauge's day are two tables; an agency has sums by quarter-hour and day.
CREATE TABLE partnerkit.counter_days (
    agency text COLLATE "C" NOT NULL,
    day bigint NOT NULL,
    reseller uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    sum bigint NOT NULL,
    events bigint NOT NULL,
    slots bytea NOT NULL,
    PRIMARY KEY (agency, day, reseller, metric)
);

CREATE TABLE partnerkit.gauge_days (
    agency text COLLATE "C" NOT NULL,
    reseller uuid NOT NULL,
    metric text COLLATE "C" NOT NULL,
    day bigint NOT NULL,
    slots bytea NOT NULL,
    PRIMARY KEY (agency, reseller, metric, day)
);

CREATE TABLE partnerkit.agency_slots (
    agency text COLLATE "C" NOT NULL,
    day bigint NOT NULL,
    metric text COLLATE "C" NOT NULL,
    slot bigint NOT NULL,
    sum bigint NOT NULL,
    events bigint NOT NULL,
    PRIMARY KEY (agency, day, metric, slot)
);

-- What was packed into rollups is unpacked, byte by byte. A day began with its number of
-- quarter-hours. Each quarter-hour had its own number and seven fields: its events, twice its sum,
-- four numbers of a gauge, and the length of a text, which followed. A number had seven bits a byte,
-- the lowest first; the highest bit says that more follow. A counter's day keeps the first two
-- fields, a gauge's all but the sum.
--
-- The rollups are copied first, because a cluster cannot recurse over a distributed table.
CREATE TEMPORARY TABLE partnerkit_packed AS SELECT * FROM partnerkit.rollups;
CREATE TEMPORARY TABLE partnerkit_unpacked AS
WITH RECURSIVE
    walk (agency, day, reseller, metric, rest, byte, field, shift, value, text, slot, events, kept) AS (
        SELECT agency, day, reseller, metric, slots, get_byte(slots, 0),
            -1, 0, 0::bigint, 0, 0::bigint, 0::bigint, ''::bytea
        FROM partnerkit_packed
        UNION ALL
        SELECT agency, day, reseller, metric, substr(rest, greatest(text, 1) + 1),
            CASE WHEN length(rest) > greatest(text, 1) THEN get_byte(rest, greatest(text, 1)) END,
            CASE WHEN text > 0 OR byte >= 128 THEN field ELSE (field + 1) % 8 END,
            CASE WHEN text > 0 OR byte < 128 THEN 0 ELSE shift + 7 END,
            CASE WHEN shift = 0 THEN 0 ELSE value END | ((byte & 127)::bigint << shift),
            CASE
                WHEN text = 0 AND field = 7 AND byte < 128
                    THEN (CASE WHEN shift = 0 THEN 0 ELSE value END | (byte::bigint << shift))::int
                ELSE 0
            END,
            CASE WHEN field = 1 AND shift = 0 THEN value ELSE slot END,
            CASE WHEN field = 2 AND shift = 0 THEN value ELSE events END,
            CASE
                WHEN text > 0 OR CASE metric WHEN 'team_members' THEN field <> 2 ELSE field <= 2 END
                    THEN kept || substr(rest, 1, greatest(text, 1))
                ELSE kept
            END
        FROM walk
        WHERE rest <> ''
    )
SELECT agency, day, reseller, metric, slot, (value >> 1) & 9223372036854775807 AS sum, events,
    CASE WHEN rest = '' THEN kept END AS slots
FROM walk
WHERE rest = '' OR (field = 3 AND shift = 0 AND metric <> 'team_members');

INSERT INTO partnerkit.counter_days (agency, day, reseller, metric, sum, events, slots)
SELECT agency, day, reseller, metric, rollups.sum, rollups.events, unpacked.slots
FROM partnerkit_packed AS rollups JOIN partnerkit_unpacked AS unpacked USING (agency, day, reseller, metric)
WHERE metric <> 'team_members' AND unpacked.slots IS NOT NULL;
INSERT INTO partnerkit.gauge_days (agency, reseller, metric, day, slots)
SELECT agency, reseller, metric, day, slots FROM partnerkit_unpacked WHERE metric = 'team_members';
INSERT INTO partnerkit.agency_slots (agency, day, metric, slot, sum, events)
SELECT agency, day, metric, slot, sum(sum), sum(events) FROM partnerkit_unpacked
WHERE slots IS NULL GROUP BY agency, day, metric, slot
UNION ALL
SELECT agency, day, metric, 96, sum(sum), sum(events) FROM partnerkit_packed
WHERE metric <> 'team_members' GROUP BY agency, day, metric;
DROP TABLE partnerkit_unpacked;
DROP TABLE partnerkit_packed;

DROP TABLE partnerkit.rollups;
