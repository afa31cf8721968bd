//! Every way to search finds what reading all rows finds, whichever of them the sample chooses.

use std::sync::LazyLock;

use fastrand::Rng;
use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::super::connection::open_reader;
use super::super::rows::Rows;
use crate::error::Result;
use crate::schema::{AGENCIES, Kind, RESELLERS, Row, Table, Value};
use crate::storage::newest::{Newest, ROWS, Texts};
use crate::storage::sqlite::Sqlite;
use crate::storage::{Ask, Condition, Filter, Insertion, Is, PageSpec, Scope, Storage};
use crate::values::AgencyId;

const TWO_AGENCIES: [&str; 2] = ["northwind", "tailspin"];
/// More than a sample has.
const RESELLERS_OF_EACH: usize = ROWS + 500;
const ID: usize = RESELLERS.place("id");
const LETTERS: [char; 6] = ['a', 'b', 'c', 'é', '北', '-'];

/// The file, and what can be read from it.
struct Store {
    _folder: TempDir,
    _sqlite: Sqlite,
    newest: Newest,
    path: std::path::PathBuf,
    all: Vec<Stored>,
}

/// What decides where a row belongs.
#[derive(Debug)]
struct Stored {
    number: i64,
    agency: String,
    id: Uuid,
    text: String,
    partner_type: String,
    created_at: Value,
    sort_name: Value,
    sort_email: Value,
}

static STORE: LazyLock<Store> = LazyLock::new(Store::fill);

impl Store {
    fn fill() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("resellers.db");
        let sqlite = Sqlite::open(&path).expect("opens");
        let mut random = Rng::with_seed(3);
        for name in TWO_AGENCIES {
            let agency = AgencyId::parse(name).expect("an id");
            let row = row(&AGENCIES, &[("agency", name.into())]);
            insert(&sqlite, &agency, &AGENCIES, vec![row]).expect("inserts");
            let rows: Vec<_> =
                (0..RESELLERS_OF_EACH).map(|n| reseller(&mut random, name, n)).collect();
            for rows in rows.chunks(500) {
                insert(&sqlite, &agency, &RESELLERS, rows.to_vec()).expect("inserts");
            }
        }
        let all = all_rows(&Connection::open(&path).expect("opens"));
        assert_eq!(all.len(), TWO_AGENCIES.len() * RESELLERS_OF_EACH);
        Self { _folder: folder, _sqlite: sqlite, newest: Newest::default(), path, all }
    }

    /// The numbers of the rows on a page, found by looking at every row.
    fn page(&self, spec: &PageSpec) -> Vec<i64> {
        let place = |row: &Stored| {
            let value = match spec.order {
                "created_at" => &row.created_at,
                "sort_name" => &row.sort_name,
                _ => &row.sort_email,
            };
            (value.clone(), Value::Uuid(row.id))
        };
        let after = spec.after.as_ref().map(|(value, id)| (value.clone(), Value::Uuid(*id)));
        let is_behind = |row: &&Stored| match &after {
            Some(after) if spec.descending => place(row) < *after,
            Some(after) => place(row) > *after,
            None => true,
        };
        let mut found: Vec<_> = self.matching(&spec.filter).filter(is_behind).collect();
        found.sort_by_key(|row| place(row));
        if spec.descending {
            found.reverse();
        }
        found.iter().take(spec.limit as usize).map(|row| row.number).collect()
    }

    fn id(&self, number: i64) -> Value {
        let row = self.all.iter().find(|row| row.number == number).expect("there");
        Value::Uuid(row.id)
    }

    fn matching(&self, filter: &Filter) -> impl Iterator<Item = &Stored> {
        let holds = |row: &Stored, condition: &Condition| match &condition.is {
            Is::Slug(slug) => row.partner_type == *slug,
            Is::AtLeast(least) => row.created_at >= *least,
            Is::Below(bound) => row.created_at < *bound,
        };
        self.all.iter().filter(move |row| {
            row.agency == filter.agency.as_str()
                && filter.terms.iter().all(|term| row.text.contains(term))
                && filter.conditions.iter().all(|condition| holds(row, condition))
        })
    }
}

fn insert(sqlite: &Sqlite, agency: &AgencyId, table: &'static Table, rows: Vec<Row>) -> Result<()> {
    sqlite.write(agency, Scope::Own, &mut |store| {
        let insertion = Insertion { table, rows: rows.clone(), lock: None };
        store.ask(vec![Ask::Insert(insertion)], &mut Vec::new())
    })
}

/// A reseller with a name of few different letters, who joined up to 20 s after the next ones.
fn reseller(random: &mut Rng, agency: &str, n: usize) -> Row {
    let mut word = || -> String {
        // Of two letters the earlier one, so that some are more common than others.
        let mut letter = || LETTERS[random.usize(..6).min(random.usize(..6))];
        (0..6).map(|_| letter()).take(1 + n % 6).collect()
    };
    let label: String =
        [676, 26, 1].map(|of| char::from(b'a' + (n / of % 26) as u8)).into_iter().collect();
    let (name, email) = (format!("{} {} x", word(), word()), format!("ab{label}@cab.example"));
    let joined = 1_600_000_000_000 + 1_000 * n as i64 + random.i64(0..20_000);
    let partner_type = if n.is_multiple_of(3) { "commission" } else { "own_plans" };
    let given = [
        ("agency", agency.into()),
        ("id", Value::Uuid(Uuid::from_u128(random.u128(..)))),
        ("partner_type", partner_type.into()),
        ("email_key", email.as_str().into()),
        ("created_at", joined.into()),
        ("sort_name", name.as_str().into()),
        ("sort_email", email.as_str().into()),
        ("search_text", format!("{name}\n{email}").into()),
    ];
    row(&RESELLERS, &given)
}

/// A row with these values, and otherwise empty ones.
fn row(table: &Table, given: &[(&str, Value)]) -> Row {
    let value = |name, kind, nullable| match (given.iter().find(|(of, _)| *of == name), kind) {
        (Some((_, value)), _) => value.clone(),
        _ if nullable => Value::Null,
        (None, Kind::Integer) => Value::Integer(0),
        (None, Kind::Text) => Value::Text(String::new()),
        (None, Kind::Bytes) => Value::Bytes(Vec::new()),
        (None, Kind::Uuid) => Value::Uuid(Uuid::nil()),
    };
    table.columns.iter().map(|column| value(column.name, column.kind, column.nullable)).collect()
}

fn all_rows(connection: &Connection) -> Vec<Stored> {
    let sql = "SELECT r.number, a.agency, id, search_text, partner_type, r.created_at, sort_name,
               sort_email FROM resellers r JOIN agencies a ON a.number = r.agency";
    let mut statement = connection.prepare(sql).expect("prepares");
    let rows = statement.query_map([], |row| {
        Ok(Stored {
            number: row.get(0)?,
            agency: row.get(1)?,
            id: Uuid::from_bytes(row.get(2)?),
            text: row.get(3)?,
            partner_type: row.get(4)?,
            created_at: Value::Integer(row.get(5)?),
            sort_name: Value::Text(row.get(6)?),
            sort_email: Value::Text(row.get(7)?),
        })
    });
    rows.expect("reads").collect::<rusqlite::Result<_>>().expect("reads")
}

/// Terms of the letters that names are made of.
fn terms() -> impl Strategy<Value = Vec<String>> {
    let any = prop_oneof![
        "[abcé北-]{1,2}",
        "[abcé北-]{3,6}",
        "ab[a-f]{1,2}",
        Just("cab.example".to_owned()),
        Just("x".to_owned()),
    ];
    prop::collection::vec(any, 1..4)
}

fn filter() -> impl Strategy<Value = Filter> {
    let at = || 1_600_000_000_000_i64..1_600_002_600_000;
    let condition = prop_oneof![
        Just(Condition { column: "partner_type", is: Is::Slug("commission") }),
        at().prop_map(|at| Condition { column: "created_at", is: Is::AtLeast(Value::Integer(at)) }),
        at().prop_map(|at| Condition { column: "created_at", is: Is::Below(Value::Integer(at)) }),
    ];
    let conditions =
        prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(condition, 1..3)];
    (prop::sample::select(&TWO_AGENCIES[..]), terms(), conditions).prop_map(
        |(agency, terms, conditions)| {
            let agency = AgencyId::parse(agency).expect("an id");
            Filter { agency, terms, conditions }
        },
    )
}

/// A page of a search. It may begin after any row.
fn page() -> impl Strategy<Value = PageSpec> {
    let order = prop::sample::select(&["created_at", "created_at", "sort_name", "sort_email"][..]);
    let after = prop::option::of(any::<prop::sample::Index>());
    (filter(), order, any::<bool>(), after, 1..60_u32).prop_map(
        |(filter, order, descending, after, limit)| {
            let after = after.map(|after| {
                let row = after.get(&STORE.all);
                let value = match order {
                    "created_at" => &row.created_at,
                    "sort_name" => &row.sort_name,
                    _ => &row.sort_email,
                };
                (value.clone(), row.id)
            });
            PageSpec { filter, order, descending, after, limit }
        },
    )
}

/// A sample of these texts.
fn sample_of(texts: &[String]) -> Texts {
    let mut sample = Texts::default();
    texts.iter().for_each(|text| sample.push(text));
    sample
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn s27_every_way_to_search_finds_what_reading_all_rows_finds(
        spec in page(),
        wrong_sample in prop::collection::vec("[abcé北 -]{0,12}", 0..20),
        cap in 1..3_000_u64,
    ) {
        let store = &*STORE;
        let expected = store.page(&spec);
        let reader = open_reader(&store.path).expect("opens");
        let rows = Rows::of_reader(&reader, &store.newest);
        let newest = rows.newest_texts(&spec.filter.agency).expect("reads");
        let is_full = expected.len() == spec.limit as usize;
        prop_assert_eq!(rows.walk(&spec).expect("walks"), is_full.then(|| expected.clone()));
        for sample in [&sample_of(&wrong_sample), &*newest] {
            let index = rows.expression(&spec.filter, sample).expect("reads");
            prop_assert_eq!(&rows.sorted(&index, &spec).expect("sorts"), &expected);
            let chosen = match spec.order {
                "created_at" => {
                    let disorder = rows.disorder(&spec.filter).expect("reads");
                    let streamed = rows.stream(&index, &spec, disorder).expect("streams");
                    prop_assert_eq!(&streamed, &expected);
                    rows.found_by_time(&spec, sample).expect("finds")
                }
                _ => rows.found_in_another_order(&spec, &index).expect("finds"),
            };
            prop_assert_eq!(&chosen, &expected);
        }
        let ids: Vec<_> = expected.iter().map(|number| store.id(*number)).collect();
        let found = rows.find_page(&spec).expect("finds");
        prop_assert_eq!(found.iter().map(|row| row[ID].clone()).collect::<Vec<_>>(), ids);
        let many = store.matching(&spec.filter).count() as u64;
        prop_assert_eq!(rows.count_found(&spec.filter, cap).expect("counts"), many.min(cap));
        drop(rows);
        // A snapshot that a search left open would keep this from emptying the log.
        let busy = |row: &rusqlite::Row<'_>| row.get::<_, bool>(0);
        let writer = Connection::open(&store.path).expect("opens");
        let busy = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], busy).expect("empties");
        prop_assert!(!busy);
    }
}
