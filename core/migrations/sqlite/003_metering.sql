-- Events lie in the order of their times, so that new ones are neighbours; only what tells a
-- repeated one from a new one is in the order of ids. An event that is taken back stays known.
CREATE TABLE ordered_events (
    agency INTEGER NOT NULL,
    id TEXT NOT NULL,
    reseller BLOB NOT NULL,
    metric TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    at INTEGER NOT NULL,
    voided INTEGER NOT NULL,
    PRIMARY KEY (agency, at, id),
    UNIQUE (agency, id)
) STRICT, WITHOUT ROWID;
INSERT INTO ordered_events SELECT agency, id, reseller, metric, quantity, at, 0 FROM events;
DROP TABLE events;
ALTER TABLE ordered_events RENAME TO events;

-- A counter's day and a gauge's day are two tables; an agency has sums by quarter-hour and day.
CREATE TABLE counter_days (
    agency INTEGER NOT NULL,
    day INTEGER NOT NULL,
    reseller BLOB NOT NULL,
    metric TEXT NOT NULL,
    sum INTEGER NOT NULL,
    events INTEGER NOT NULL,
    slots BLOB NOT NULL,
    PRIMARY KEY (agency, day, reseller, metric)
) STRICT, WITHOUT ROWID;

CREATE TABLE gauge_days (
    agency INTEGER NOT NULL,
    reseller BLOB NOT NULL,
    metric TEXT NOT NULL,
    day INTEGER NOT NULL,
    slots BLOB NOT NULL,
    PRIMARY KEY (agency, reseller, metric, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE agency_slots (
    agency INTEGER NOT NULL,
    day INTEGER NOT NULL,
    metric TEXT NOT NULL,
    slot INTEGER NOT NULL,
    sum INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (agency, day, metric, slot)
) STRICT, WITHOUT ROWID;

-- What was packed into rollups is unpacked, byte by byte. A day began with its number of
-- quarter-hours. Each quarter-hour had its own number and seven fields: its events, twice its sum,
-- four numbers of a gauge, and the length of a text, which followed. A number had seven bits a byte,
-- the lowest first; the highest bit says that more follow. A counter's day keeps the first two
-- fields, a gauge's all but the sum.
CREATE TEMPORARY TABLE partnerkit_unpacked AS
WITH RECURSIVE
    walk (agency, day, reseller, metric, rest, byte, field, shift, value, text, slot, events, kept) AS (
        SELECT agency, day, reseller, metric, slots,
            16 * instr('123456789ABCDEF', substr(hex(substr(slots, 1, 1)), 1, 1))
                + instr('123456789ABCDEF', substr(hex(substr(slots, 1, 1)), 2, 1)),
            -1, 0, 0, 0, 0, 0, x''
        FROM rollups
        UNION ALL
        SELECT agency, day, reseller, metric, substr(rest, max(text, 1) + 1),
            16 * instr('123456789ABCDEF', substr(hex(substr(rest, max(text, 1) + 1, 1)), 1, 1))
                + instr('123456789ABCDEF', substr(hex(substr(rest, max(text, 1) + 1, 1)), 2, 1)),
            CASE WHEN text > 0 OR byte >= 128 THEN field ELSE (field + 1) % 8 END,
            CASE WHEN text > 0 OR byte < 128 THEN 0 ELSE shift + 7 END,
            CASE WHEN shift = 0 THEN 0 ELSE value END | ((byte & 127) << shift),
            CASE
                WHEN text = 0 AND field = 7 AND byte < 128
                    THEN CASE WHEN shift = 0 THEN 0 ELSE value END | (byte << shift)
                ELSE 0
            END,
            CASE WHEN field = 1 AND shift = 0 THEN value ELSE slot END,
            CASE WHEN field = 2 AND shift = 0 THEN value ELSE events END,
            CASE
                WHEN text > 0 OR iif(metric = 'team_members', field <> 2, field <= 2)
                    THEN CAST(kept || substr(rest, 1, max(text, 1)) AS BLOB)
                ELSE kept
            END
        FROM walk
        WHERE rest <> x''
    )
SELECT agency, day, reseller, metric, slot, (value >> 1) & 9223372036854775807 AS sum, events,
    CASE WHEN rest = x'' THEN kept END AS slots
FROM walk
WHERE rest = x'' OR (field = 3 AND shift = 0 AND metric <> 'team_members');

INSERT INTO counter_days (agency, day, reseller, metric, sum, events, slots)
SELECT agency, day, reseller, metric, rollups.sum, rollups.events, unpacked.slots
FROM rollups AS rollups JOIN partnerkit_unpacked AS unpacked USING (agency, day, reseller, metric)
WHERE metric <> 'team_members' AND unpacked.slots IS NOT NULL;
INSERT INTO gauge_days (agency, reseller, metric, day, slots)
SELECT agency, reseller, metric, day, slots FROM partnerkit_unpacked WHERE metric = 'team_members';
INSERT INTO agency_slots (agency, day, metric, slot, sum, events)
SELECT agency, day, metric, slot, sum(sum), sum(events) FROM partnerkit_unpacked
WHERE slots IS NULL GROUP BY agency, day, metric, slot
UNION ALL
SELECT agency, day, metric, 96, sum(sum), sum(events) FROM rollups
WHERE metric <> 'team_members' GROUP BY agency, day, metric;
DROP TABLE partnerkit_unpacked;

DROP TABLE rollups;
