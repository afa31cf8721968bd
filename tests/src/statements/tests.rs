//! Statements that a distributed server accepts and routes to one node, and statements that it does
//! not, from trials.

use super::{complaints, judge};
use crate::wire::Sent;

fn sent(sql: &str) -> Sent {
    Sent { sql: sql.replace("@", "partnerkit."), parameters: true }
}

fn passes(texts: &[&str]) {
    for sql in texts {
        assert_eq!(judge(&sent(sql), false), Vec::<String>::new(), "{sql}");
    }
}

/// Asserts that there is one complaint about each text, with these words.
fn fails(words: &str, texts: &[&str]) {
    for sql in texts {
        let found = judge(&sent(sql), false);
        assert!(matches!(&found[..], [one] if one.starts_with(words)), "{sql}: {found:?}");
    }
}

#[test]
fn rows_of_one_agency_are_read() {
    passes(&[
        "SELECT agency, id, NULL FROM @resellers WHERE agency = $1 AND id = $2",
        "SELECT id FROM @resellers WHERE $1 = agency AND id = $2 FOR NO KEY UPDATE",
        "SELECT id FROM @resellers WHERE agency = $1::text AND (id = $2 OR id = $3) FOR KEY SHARE",
        "SELECT id FROM @resellers WHERE (agency, id) = ($1, $2) FOR UPDATE",
        "SELECT * FROM @agencies WHERE agency = $1 AND closed_at IS NULL FOR KEY SHARE",
        "SELECT id, place FROM unnest($2, $3) WITH ORDINALITY AS wanted (key_1, key_2, place) \
         JOIN @meters ON agency = $1 AND reseller = key_1 AND metric = key_2 ORDER BY place \
         FOR UPDATE OF meters",
        "SELECT id FROM @events WHERE agency = $1 AND at >= $2 ORDER BY at, id LIMIT $3 \
         FOR UPDATE SKIP LOCKED",
        "SELECT count(*) FROM (SELECT FROM @resellers WHERE agency = $1 LIMIT $2) AS found",
        "SELECT id FROM @resellers WHERE agency = $1 AND id = ANY(ARRAY(WITH found AS MATERIALIZED \
         (SELECT created_at, id FROM @resellers WHERE agency = $1 AND search_text LIKE $2) \
         SELECT id FROM found ORDER BY created_at DESC LIMIT 25)) ORDER BY created_at DESC",
        "SELECT r.id FROM @resellers AS r JOIN @meters AS m ON m.agency = r.agency \
         AND m.reseller = r.id WHERE r.agency = $1",
        "SELECT r.id FROM @resellers AS r JOIN @agencies AS a USING (agency) WHERE a.agency = $1",
        "SELECT r.id FROM @resellers AS r LEFT JOIN @meters AS m ON m.agency = r.agency \
         WHERE r.agency = $1",
        "SELECT id FROM @resellers r WHERE r.agency = $1 AND EXISTS \
         (SELECT FROM @meters m WHERE m.agency = r.agency AND m.reseller = r.id)",
        "SELECT id FROM @resellers WHERE agency = $1 UNION ALL \
         SELECT reseller FROM @meters WHERE agency = $1",
        "SELECT id FROM @secrets ORDER BY id",
        "SELECT coalesce(max(version), 0) FROM @migrations",
    ]);
    fails(
        "does not say which agency of",
        &[
            "SELECT id FROM @resellers WHERE id = $1",
            "SELECT id FROM @resellers WHERE agency = 'northwind' AND id = $1",
            "SELECT id FROM @resellers WHERE agency = (SELECT $1) AND id = $2",
            "SELECT id FROM @resellers WHERE (agency = $1 OR id = $2) FOR UPDATE",
            "SELECT id FROM @resellers WHERE agency <> $1 LIMIT 3",
            "SELECT id FROM @resellers WHERE agency IN ($1)",
            "SELECT id FROM @resellers WHERE agency = ANY($1)",
            "SELECT id FROM @resellers WHERE NOT agency = $1",
            "SELECT id FROM @resellers WHERE agency = $1 AND id IN (SELECT reseller FROM @meters)",
            "SELECT count(*) FROM (SELECT FROM @resellers LIMIT $1) AS found",
            "SELECT r.id FROM @resellers AS r, @meters AS m WHERE r.agency = $1 AND m.reseller = r.id",
            "SELECT r.id FROM @resellers AS r LEFT JOIN @meters AS m \
         ON m.agency = r.agency AND r.agency = $1 WHERE m.agency = $2",
            "SELECT r.id FROM @resellers AS r LEFT JOIN @meters AS m ON m.agency = $1 \
         AND r.agency = m.agency",
            "SELECT id, place FROM unnest($1) WITH ORDINALITY AS wanted (agency, place) \
         JOIN @agencies ON agencies.agency = wanted.agency",
            "SELECT id FROM @resellers WHERE agency = $1 UNION ALL SELECT reseller FROM @meters",
            "WITH all_of_them AS (SELECT id FROM @resellers) SELECT id FROM all_of_them WHERE id = $1",
        ],
    );
}

#[test]
fn few_reads_go_to_several_nodes() {
    passes(&[
        "SELECT * FROM @agencies WHERE $1::text IS NULL OR agency > $1 ORDER BY agency LIMIT $2",
        "SELECT label FROM @labels WHERE label = ANY($1)",
        "SELECT failures FROM @attempts WHERE agency = $1 AND attempt = ANY($2)",
        "SELECT label FROM @labels WHERE quarantined_until <= $1 ORDER BY quarantined_until LIMIT 9",
        "SELECT label FROM @labels WHERE agency = $1 ORDER BY label LIMIT $2",
        "SELECT attempt FROM @attempts WHERE agency = $1 AND blocked_until <= $2 LIMIT $3",
    ]);
    fails(
        "does not say which",
        &[
            "SELECT * FROM @agencies WHERE $1::text IS NULL",
            "SELECT * FROM @agencies WHERE agency > $1 ORDER BY agency LIMIT $2 FOR SHARE",
            "SELECT label FROM @labels WHERE agency = $1",
            "SELECT label FROM @labels WHERE label = ANY($1) FOR UPDATE",
            "SELECT label FROM @labels WHERE label = ANY($1) OR agency = $2",
            "SELECT label FROM @labels WHERE agency = ANY($1)",
            "SELECT label FROM @labels WHERE quarantined_until <= $1 LIMIT 9 FOR UPDATE SKIP LOCKED",
            "SELECT label FROM unnest($1) AS wanted (key_1) JOIN @labels ON label = key_1",
            "SELECT attempt FROM @attempts WHERE agency = $1 ORDER BY attempt",
            "SELECT id FROM @events WHERE at <= $1 ORDER BY at LIMIT $2",
        ],
    );
    fails(
        "names a table that is kept by its own key, and another one",
        &[
            "SELECT l.label FROM @labels AS l, @agencies AS a WHERE l.label = $1 AND a.agency = $2",
            "SELECT l.label FROM @labels AS l, @attempts AS a WHERE l.label = $1 AND a.attempt = $2",
        ],
    );
}

#[test]
fn rows_that_are_kept_by_their_own_key_are_written_one_by_one() {
    passes(&[
        "INSERT INTO @labels (label, agency) VALUES ($1, $3), ($2, $3) ON CONFLICT DO NOTHING",
        "SELECT label FROM @labels WHERE label = $1 FOR UPDATE",
        "SELECT * FROM @attempts WHERE agency = $1 AND attempt = $2 FOR NO KEY UPDATE",
        "INSERT INTO @labels (label, agency, reseller, quarantined_until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (label) DO UPDATE SET agency = excluded.agency \
         WHERE labels.quarantined_until <= $5 RETURNING label",
        "UPDATE @labels SET agency = $2 WHERE label = $1",
        "DELETE FROM @labels WHERE label = $1 AND quarantined_until <= $2",
    ]);
    fails(
        "does not say which",
        &[
            "DELETE FROM @labels WHERE label = ANY($1)",
            "DELETE FROM @labels AS t USING unnest($1) AS u (l) WHERE t.label = u.l",
            "UPDATE @labels AS t SET reseller = NULL FROM unnest($1) AS u (l) WHERE t.label = u.l",
            "DELETE FROM @attempts WHERE agency = $1",
        ],
    );
    fails(
        "inserts several labels",
        &["INSERT INTO @labels (label, agency, reseller, quarantined_until) \
         SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING"],
    );
    fails(
        "changes several labels",
        &["INSERT INTO @labels (label, agency) VALUES ($1, $3), ($2, $3) \
         ON CONFLICT (label) DO UPDATE SET agency = excluded.agency"],
    );
    let prune = "DELETE FROM @labels WHERE (label) IN (SELECT label FROM @labels \
                 WHERE '' < $1 AND quarantined_until <= $2 ORDER BY quarantined_until LIMIT $3 \
                 FOR UPDATE SKIP LOCKED) AND quarantined_until <= $2";
    assert_eq!(judge(&sent(prune), false).len(), 3, "outside, inside, and the limit");
}

#[test]
fn rows_are_inserted_where_their_agency_is() {
    let rows = "SELECT a.agency, u.* FROM @agencies AS a, unnest($2::text[], $3) AS u \
                WHERE a.agency = $1";
    let insert = "INSERT INTO @totals (agency, name, value)";
    passes(&[
        &format!(
            "{insert} VALUES ($1, $2, $3) ON CONFLICT (agency, name) \
                  DO UPDATE SET value = totals.value + excluded.value WHERE totals.value < $4"
        ),
        &format!("{insert} VALUES ($1, $2, $3), ($1, $4, $5) ON CONFLICT DO NOTHING"),
        &format!("{insert} {rows} ON CONFLICT DO NOTHING RETURNING name"),
        &format!("{insert} {rows} ON CONFLICT (agency, name) DO UPDATE SET value = excluded.value"),
        "INSERT INTO @totals (name, agency, value) SELECT u.name, a.agency, 1 \
         FROM unnest($2::text[]) AS u (name) JOIN @agencies AS a ON a.agency = $1",
        "INSERT INTO @changes (agency, sequence, kind) SELECT p.agency, a.numbered + u.place, p.kind \
         FROM @agencies AS a, @pending_changes AS p, \
         unnest($2::bigint[]) WITH ORDINALITY AS u (at, place) \
         WHERE a.agency = $1 AND p.agency = $1 AND p.at = u.at",
        "INSERT INTO @secrets (agency, id) SELECT * FROM unnest($1, $2) ON CONFLICT DO NOTHING",
    ]);
    fails(
        "inserts totals that are not selected from their home",
        &[
            &format!("{insert} SELECT * FROM unnest($1, $2, $3) ON CONFLICT DO NOTHING"),
            &format!("{insert} SELECT $1, u.* FROM unnest($2, $3) AS u"),
            &format!("{insert} {}", rows.replace("a.agency, u", "$1, u")),
            &format!("{insert} {}", rows.replace("a.agency, u.*", "u.*, a.agency")),
            &format!("{insert} SELECT l.agency, l.label, 1 FROM @secrets AS l WHERE l.agency = $1"),
        ],
    );
    fails(
        "does not say which agency of agencies",
        &[
            &format!("{insert} {}", rows.replace("WHERE a.agency = $1", "")),
            &format!("{insert} {}", rows.replace("a.agency = $1", "a.agency = ANY($1)")),
        ],
    );
    fails(
        "inserts a totals whose home is no parameter",
        &[
            &format!("{insert} VALUES ('northwind', $1, $2)"),
            &format!("{insert} VALUES ($1, $2, $3), (lower($1), $2, $3)")
                .replace("lower($1)", "$1 || ''"),
        ],
    );
    fails(
        "inserts totals of several homes",
        &[&format!("{insert} VALUES ($1, $2, $3), ($4, $2, $3)")],
    );
    fails("has a subselect in VALUES", &[&format!("{insert} VALUES ($1, $2, (SELECT 1))")]);
    fails(
        "has a parameter behind ON CONFLICT of an INSERT … SELECT",
        &[
            &format!("{insert} {rows} ON CONFLICT (agency, name) DO UPDATE SET value = $4"),
            &format!(
                "{insert} {rows} ON CONFLICT (agency, name) DO UPDATE SET value = excluded.value \
                  WHERE totals.value < $4::bigint"
            ),
        ],
    );
    fails(
        "has a subselect behind ON CONFLICT",
        &[&format!(
            "{insert} VALUES ($1, $2, $3) ON CONFLICT (agency, name) \
                  DO UPDATE SET value = (SELECT 1)"
        )],
    );
}

#[test]
fn rows_change_where_they_are() {
    passes(&[
        "UPDATE @resellers SET version = $3, name = $4 WHERE agency = $1 AND id = $2",
        "UPDATE @resellers AS t SET version = u.version FROM unnest($2, $3) AS u (id, version) \
         WHERE t.agency = $1 AND t.id = u.id RETURNING t.id",
        "DELETE FROM @meters AS t USING unnest($2, $3) AS u (r, m) \
         WHERE t.agency = $1 AND t.reseller = u.r AND t.metric = u.m",
        "DELETE FROM @meters WHERE agency = $1 \
         AND (reseller, metric) IN (SELECT * FROM unnest($2, $3))",
        "DELETE FROM @events WHERE agency = $1 AND id = ANY(ARRAY(SELECT id FROM @events \
         WHERE agency = $1 AND at <= $2 ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED)) AND at <= $2",
        "WITH due AS MATERIALIZED (SELECT agency, id FROM @events WHERE agency = $1 AND at <= $2 \
         ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED) DELETE FROM @events AS t USING due \
         WHERE t.agency = $1 AND t.id = due.id AND t.at <= $2",
        "DELETE FROM @secrets WHERE agency = $1",
    ]);
    fails(
        "does not say which agency of",
        &[
            "UPDATE @resellers SET version = $2 WHERE id = $1",
            "DELETE FROM @events WHERE id = $1",
            "DELETE FROM @events AS t USING @resellers AS r WHERE r.agency = $1 AND r.id = t.reseller",
            "WITH due AS (SELECT agency FROM @events WHERE agency = $1) DELETE FROM @events AS t \
         USING due WHERE t.agency = due.agency",
            "WITH gone AS (DELETE FROM @events RETURNING id) SELECT id FROM gone WHERE id = $1",
            "DELETE FROM @events WHERE agency = $1 AND id IN (SELECT id FROM @events WHERE at <= $2)",
        ],
    );
    fails(
        "has a LIMIT in a subselect that may run again for each row",
        &["DELETE FROM @events WHERE agency = $1 AND id IN (SELECT id FROM @events \
         WHERE agency = $1 AND at <= $2 ORDER BY at LIMIT $3 FOR UPDATE SKIP LOCKED)"],
    );
    fails(
        "sets the home of",
        &[
            "UPDATE @labels SET label = $2 WHERE label = $1",
            "UPDATE @resellers SET agency = $1, version = $3 WHERE agency = $1 AND id = $2",
            "UPDATE @resellers SET (agency, version) = ($1, $3) WHERE agency = $1 AND id = $2",
            "INSERT INTO @labels (label, agency) VALUES ($1, $2) \
         ON CONFLICT (label) DO UPDATE SET label = $3",
        ],
    );
    fails(
        "calls {",
        &[
            "UPDATE @resellers SET updated_at = clock_timestamp() WHERE agency = $1",
            "DELETE FROM @events WHERE agency = $1 AND at < random()",
            "INSERT INTO @totals (agency, name, value) VALUES ($1, $2, $3) \
         ON CONFLICT (agency, name) DO UPDATE SET value = random()",
            "INSERT INTO @totals (agency, name, value) SELECT a.agency, gen_random_uuid(), 1 \
         FROM @agencies AS a WHERE a.agency = $1",
        ],
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    fails("cannot be read", &["SELECT FROM WHERE @events", "SELECT 'open FROM @events"]);
    fails("is no statement on rows", &["TRUNCATE @secrets"]);
    fails("names a table and has no parameters", &["SELECT 1; DELETE FROM @secrets"]);
    let plain = Sent { parameters: false, ..sent("SELECT id FROM @events WHERE agency = $1") };
    assert_eq!(judge(&plain, false), ["names a table and has no parameters"]);
    let setting = Sent { parameters: false, ..sent("SET LOCAL statement_timeout = 3; BEGIN") };
    assert_eq!(judge(&setting, false), Vec::<String>::new());
}

#[test]
fn a_plan_for_any_values_is_for_one_table() {
    let plan = |mode: &str| Sent {
        sql: format!("SET LOCAL plan_cache_mode = {mode}; SET LOCAL enable_sort = off"),
        parameters: false,
    };
    let (generic, usual) = (plan("force_generic_plan"), plan("auto"));
    let walk = sent("SELECT id FROM @resellers WHERE agency = $1 ORDER BY created_at LIMIT 25");
    let put = sent("INSERT INTO @totals (agency, name) VALUES ($1, $2) ON CONFLICT DO NOTHING");
    assert_eq!(complaints([&generic, &walk, &put, &usual]), [].into());
    for sql in [
        "SELECT id FROM unnest($2) AS w (k) JOIN @resellers ON agency = $1 AND id = k",
        "SELECT count(*) FROM (SELECT FROM @resellers WHERE agency = $1) AS found",
        "DELETE FROM @meters AS t USING unnest($2) AS u (r) WHERE t.agency = $1 AND reseller = u.r",
        "SELECT label FROM @labels WHERE label = ANY($1)",
    ] {
        let sent = sent(sql);
        assert_eq!(complaints([&generic, &usual, &sent]), [].into(), "{sql}");
        assert_eq!(complaints([&sent, &generic, &sent, &sent, &usual, &sent]).len(), 1, "{sql}");
    }
}
