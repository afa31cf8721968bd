//! The contract of rows on PostgreSQL: queries that are sent together take one round trip, whether
//! they succeed or not. Runs on the server that `tests/with-postgres` starts.
#![cfg(feature = "postgres-server")]

use std::sync::Arc;

use partnerkit::schema::{Row, Table, Value};
use partnerkit::storage::postgres::Postgres;
use partnerkit::storage::{
    Answer, Ask, Batch, Filter, Get, Inserted, Keys, Lock, Rows, Scan, Scope, Storage, Tell,
};
use partnerkit::{Agency, AgencyId, Platform, ResellerQuery, Result};
use partnerkit_tests::invitation;
use partnerkit_tests::postgres::Database;
use partnerkit_tests::proxy::Proxy;
use partnerkit_tests::rows::{ask, get, hold, insert, of_northwind, rows, table};

/// A store in a database of its own, with an agency.
struct Bench {
    store: Arc<Postgres>,
    northwind: Agency,
    wire: Proxy,
    _database: Database,
}

impl Bench {
    fn new() -> Self {
        let database = Database::create();
        let (wire, url) = database.on_a_wire();
        let store = Arc::new(Postgres::open(&url).expect("opens"));
        let platform = Platform::builder().open_storage(store.clone()).expect("opens");
        let northwind = platform.create_agency("northwind", None).expect("creates");
        Self { store, northwind, wire, _database: database }
    }

    fn write(&self, mut work: impl FnMut(&mut dyn Rows) -> Result<()> + Send) -> Result<()> {
        self.store.write(self.northwind.id(), Scope::Own, &mut work)
    }

    /// The answers in a transaction of its own, and the number of round trips.
    fn ask(&self, questions: Vec<Ask>) -> (Vec<Answer>, u64) {
        let (mut answers, mut waits) = (Vec::new(), 0);
        let asked = self.write(|tx| {
            let before = self.store.waits();
            answers = ask(tx, questions.clone())?;
            waits = self.store.waits() - before;
            Ok(())
        });
        asked.expect("asks");
        (answers, waits)
    }

    /// A reseller's row, including the derived columns.
    fn reseller(&self, label: &str) -> Row {
        let reseller = self.northwind.create_reseller(invitation(label)).expect("creates");
        let key = of_northwind([Value::Uuid(reseller.id.as_uuid())]);
        let (mut answers, _) = self.ask(vec![get(table("resellers"), vec![key])]);
        let mut row = rows(answers.remove(0)).remove(0).expect("there");
        for derived in ["email_key", "sort_name", "sort_email", "search_text"] {
            set(table("resellers"), &mut row, derived, reseller.email.as_str().into());
        }
        row
    }
}

fn set(table: &Table, row: &mut Row, column: &str, value: Value) {
    row[table.place(column)] = value;
}

fn total(name: &str, value: i64) -> Row {
    of_northwind([name.into(), value.into()])
}

fn names<const N: usize>(names: [&str; N]) -> Vec<Row> {
    names.map(|name| of_northwind([name.into()])).to_vec()
}

/// The first of the agency's totals by name.
fn all_totals(limit: u32) -> Scan {
    Scan::all(table("totals"), table("totals").key, of_northwind([]), limit)
}

#[test]
fn what_is_asked_together_waits_once() {
    let bench = Bench::new();
    let acme = bench.reseller("acme");
    let (totals, resellers) = (table("totals"), table("resellers"));
    let written = bench.write(|tx| {
        let before = bench.store.waits();
        tx.tell(vec![
            Tell::Put(Batch { table: totals, rows: vec![total("a", 1), total("b", 2)] }),
            Tell::Add(Batch { table: totals, rows: vec![total("a", 2), total("a", 3)] }),
            Tell::Put(Batch { table: totals, rows: vec![total("c", 3)] }),
            Tell::Delete(Keys { table: totals, keys: names(["c", "d"]) }),
        ])?;
        let by_email = ["owner@acme.example", "nobody@example.org"];
        let by_email = by_email.map(|email| of_northwind([email.into()])).to_vec();
        let by = &["agency", "email_key"];
        let answers = ask(
            tx,
            vec![
                hold(),
                get(totals, names(["b", "c", "a"])),
                insert(totals, vec![total("b", 9)], None),
                insert(
                    totals,
                    vec![total("a", 9), total("e", 5), total("e", 6)],
                    Some(Lock::Update),
                ),
                Ask::Scan(Scan { reverse: true, ..all_totals(2) }),
                Ask::Update(Batch { table: resellers, rows: vec![acme.clone()] }),
                Ask::Get(Get { table: resellers, by, keys: by_email, lock: None }),
                Ask::Count(Filter::all(AgencyId::parse("northwind").expect("an id")), 5),
                Ask::Remove(all_totals(2)),
                get(totals, Vec::new()),
                get(totals, names(["a", "b", "e"])),
            ],
        )?;
        assert_eq!(bench.store.waits() - before, 1);
        let existing = |name, value| Inserted::Existing(total(name, value));
        let Answer::Rows(found) = &answers[6] else { panic!("{:?}", answers[6]) };
        assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
        assert_eq!(
            [&answers[1..6], &answers[7..]].concat(),
            [
                Answer::Rows(vec![Some(total("b", 2)), None, Some(total("a", 6))]),
                Answer::Inserted(vec![existing("b", 2)]),
                Answer::Inserted(vec![existing("a", 6), Inserted::Done, existing("e", 5)]),
                Answer::Found(vec![total("e", 5), total("b", 2)]),
                Answer::Updated(vec![true]),
                Answer::Count(1),
                Answer::Count(2),
                Answer::Rows(Vec::new()),
                // After `a` comes the total of active resellers.
                Answer::Rows(vec![None, Some(total("b", 2)), Some(total("e", 5))]),
            ]
        );
        Ok(())
    });
    written.expect("writes");
}

/// Only existing rows that are not locked take another query.
#[test]
fn many_are_inserted_in_one_wait_unless_some_are_there() {
    let bench = Bench::new();
    let all = |n: i64| ["a", "b", "c"].map(|name| total(name, n)).to_vec();
    let insert = |rows, lock| bench.ask(vec![insert(table("totals"), rows, lock)]);
    let first = insert(all(1), None);
    assert_eq!(first, (vec![Answer::Inserted(vec![Inserted::Done; 3])], 1));
    let [a, b, c] = ["a", "b", "c"].map(|name| Inserted::Existing(total(name, 1)));
    let mut again = all(2);
    again[1] = total("d", 2);
    let some = vec![a.clone(), Inserted::Done, c.clone()];
    assert_eq!(insert(again, None), (vec![Answer::Inserted(some)], 2));
    assert_eq!(insert(all(3), Some(Lock::Update)), (vec![Answer::Inserted(vec![a, b, c])], 1));
}

/// A row whose unique field is taken is neither inserted nor stored, and the queries after it are
/// answered.
#[test]
fn what_is_taken_spoils_nothing() {
    let bench = Bench::new();
    let resellers = table("resellers");
    let (acme, globex) = (bench.reseller("acme"), bench.reseller("globex"));
    let email = acme[resellers.place("email_key")].clone();
    let taking = |mut row: Row| {
        set(resellers, &mut row, "email_key", email.clone());
        row
    };
    let mut renamed = acme.clone();
    set(resellers, &mut renamed, "name", "Acme Ltd".into());
    let mut new = taking(globex.clone());
    set(resellers, &mut new, "id", Value::Uuid(uuid::Uuid::from_u128(7)));
    let questions = vec![
        Ask::Update(Batch { table: resellers, rows: vec![taking(globex.clone()), renamed] }),
        insert(resellers, vec![new.clone()], None),
        insert(resellers, vec![acme.clone(), new], Some(Lock::Share)),
        get(table("totals"), names(["resellers_active"])),
    ];
    let (answers, waits) = bench.ask(questions);
    assert_eq!(waits, 1);
    assert_eq!(answers[0], Answer::Updated(vec![false, true]));
    assert_eq!(answers[1], Answer::Inserted(vec![Inserted::Taken]));
    let Answer::Inserted(inserted) = &answers[2] else { panic!("{:?}", answers[2]) };
    assert!(matches!(&inserted[..], [Inserted::Existing(_), Inserted::Taken]), "{inserted:?}");
    assert_eq!(answers.len(), 4);
    let page = bench.northwind.page(&ResellerQuery::all()).expect("reads").resellers;
    let mut stored: Vec<_> = page.iter().map(|reseller| reseller.name.as_str()).collect();
    stored.sort_unstable();
    assert_eq!(stored, ["Acme Ltd", "The globex company"]);
}

#[test]
fn what_was_answered_before_a_failure_is_told() {
    let bench = Bench::new();
    let nobodys =
        of_northwind([Value::Uuid(uuid::Uuid::from_u128(7)), Value::Bytes(vec![7]), Value::Null]);
    let mut answers = Vec::new();
    let written = bench.write(|tx| {
        let questions = vec![
            hold(),
            insert(table("totals"), vec![total("a", 1), total("b", 1)], None),
            insert(table("credentials"), vec![nobodys.clone()], None),
            get(table("totals"), names(["a"])),
        ];
        tx.ask(questions, &mut answers)
    });
    written.expect_err("no such reseller");
    assert_eq!(answers.len(), 2);
    let (answers, _) = bench.ask(vec![get(table("totals"), names(["a"]))]);
    assert_eq!(answers, [Answer::Rows(vec![None])], "nothing is stored");
}

#[test]
fn a_removal_passes_over_what_others_hold() {
    let bench = Bench::new();
    let all = ["a", "b", "c", "d"].map(|name| total(name, 1)).to_vec();
    bench.ask(vec![insert(table("totals"), all, None)]);
    let held = bench.write(|tx| {
        let lock = Some(Lock::KeyShare);
        let by = table("totals").key;
        ask(tx, vec![Ask::Get(Get { table: table("totals"), by, keys: names(["b"]), lock })])?;
        // On another thread, with another connection, because a thread has only one transaction.
        let removed = std::thread::scope(|scope| {
            let removal = scope.spawn(|| bench.ask(vec![Ask::Remove(all_totals(2))]));
            removal.join().expect("no panic")
        });
        assert_eq!(removed, (vec![Answer::Count(2)], 1));
        Ok(())
    });
    held.expect("holds");
    let (answers, _) = bench.ask(vec![Ask::Scan(all_totals(9))]);
    assert_eq!(answers, [Answer::Found(vec![total("b", 1), total("d", 1)])]);
}

#[test]
fn a_question_for_nothing_is_not_sent() {
    let bench = Bench::new();
    let heard = || bench.wire.heard().concat();
    let before = heard().len();
    bench.ask(vec![get(table("totals"), names(["a"])), get(table("totals"), Vec::new())]);
    let sent: Vec<_> = heard().split_off(before).into_iter().map(|sent| sent.sql).collect();
    let [begin, get, commit] = &sent[..] else { panic!("{sent:?}") };
    assert!(begin.starts_with("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"), "{begin}");
    assert!(get.starts_with("SELECT ") && get.contains("WHERE agency = $1"), "{get}");
    assert_eq!(commit, "COMMIT");
}
