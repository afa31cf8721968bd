/**
 * How what was packed into rollups is unpacked, byte by byte. A day began with its number of
 * quarter-hours. Each quarter-hour had its own number and seven fields: its events, twice its sum,
 * four numbers of a gauge, and the length of a text, which followed. A number had seven bits a
 * byte, the lowest first; the highest bit says that more follow. A counter's day keeps the first
 * two fields, a gauge's all but the sum.
 */

import { nameOf, type DialectName } from './sql';

const [rollups, counters, gauges, slots] = [
  'rollups',
  'counter_days',
  'gauge_days',
  'agency_slots',
].map((name) => nameOf({ name }));

/** The statements that fill the new tables. */
export function unpacked(dialect: DialectName): readonly string[] {
  return [dialect === 'postgres' ? POSTGRES : SQLITE, ...MOVED];
}

const SQLITE = `CREATE TEMPORARY TABLE partnerkit_unpacked AS
WITH RECURSIVE
    walk (agency, day, reseller, metric, rest, byte, field, shift, value, text, slot, events, kept) AS (
        SELECT agency, day, reseller, metric, slots,
            16 * instr('123456789ABCDEF', substr(hex(substr(slots, 1, 1)), 1, 1))
                + instr('123456789ABCDEF', substr(hex(substr(slots, 1, 1)), 2, 1)),
            -1, 0, 0, 0, 0, 0, x''
        FROM ${rollups}
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
WHERE rest = x'' OR (field = 3 AND shift = 0 AND metric <> 'team_members')`;

const POSTGRES = `CREATE TEMPORARY TABLE partnerkit_unpacked AS
WITH RECURSIVE
    walk (agency, day, reseller, metric, rest, byte, field, shift, value, text, slot, events, kept) AS (
        SELECT agency, day, reseller, metric, slots, get_byte(slots, 0),
            -1, 0, 0::bigint, 0, 0::bigint, 0::bigint, ''::bytea
        FROM ${rollups}
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
WHERE rest = '' OR (field = 3 AND shift = 0 AND metric <> 'team_members')`;

const MOVED: readonly string[] = [
  `INSERT INTO ${counters} (agency, day, reseller, metric, sum, events, slots)
    SELECT agency, day, reseller, metric, rollups.sum, rollups.events, unpacked.slots
    FROM ${rollups} AS rollups JOIN partnerkit_unpacked AS unpacked USING (agency, day, reseller, metric)
    WHERE metric <> 'team_members' AND unpacked.slots IS NOT NULL`,
  `INSERT INTO ${gauges} (agency, reseller, metric, day, slots)
    SELECT agency, reseller, metric, day, slots FROM partnerkit_unpacked WHERE metric = 'team_members'`,
  `INSERT INTO ${slots} (agency, day, metric, slot, sum, events)
    SELECT agency, day, metric, slot, sum(sum), sum(events) FROM partnerkit_unpacked
    WHERE slots IS NULL GROUP BY agency, day, metric, slot
    UNION ALL
    SELECT agency, day, metric, 96, sum(sum), sum(events) FROM ${rollups}
    WHERE metric <> 'team_members' GROUP BY agency, day, metric`,
  `DROP TABLE partnerkit_unpacked`,
];
