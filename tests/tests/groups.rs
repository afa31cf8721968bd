//! Writers that share a commit: each gets its own answer, and only its own work is undone.

use std::panic::panic_any;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use partnerkit::schema::{LABELS, PENDING_CHANGES, RESELLERS, Row, TOTALS, Value};
use partnerkit::storage::{Batch, Inserted, Rows, Scope, Storage, Tell};
use partnerkit::{
    Error, ErrorKind, LoginDomain, Platform, Reseller, ResellerId, ResellerQuery, Result,
};
use partnerkit_tests::rows::{changed, insert_one, of_northwind, row_of, update};
use partnerkit_tests::sqlite::{InFile, assert_sound, commits, indexed_words};
use partnerkit_tests::{invitation, letters};
use rusqlite::Connection;
use uuid::Uuid;

/// How many rounds to try until the writers of one have shared a commit; other rounds prove
/// nothing.
const ROUNDS: usize = 200;

/// How a call ended.
type Answer<T> = thread::Result<T>;

struct Store {
    file: InFile,
    /// A reseller from which other rows are made.
    template: Reseller,
    row: Row,
    /// Keeps the log from restarting, so that its commits can be counted.
    _snapshot: Mutex<Connection>,
}

impl Store {
    fn new() -> Self {
        let file = InFile::create();
        let template = file.agency.create_reseller(invitation("template")).expect("creates");
        let row = row_of(&*file.storage, &template);
        let snapshot = Connection::open(&file.path).expect("opens");
        snapshot.execute_batch("BEGIN; SELECT count(*) FROM resellers;").expect("reads");
        Self { file, template, row, _snapshot: Mutex::new(snapshot) }
    }

    fn write(&self, mut work: impl FnMut(&mut dyn Rows) -> Result<()> + Send) -> Result<()> {
        self.file.storage.write(self.file.agency.id(), Scope::Own, &mut work)
    }

    fn insert(&self, n: usize, name: &str) -> Result<()> {
        let row = self.row(n, name);
        self.write(|tx| insert_one(tx, &RESELLERS, row.clone()).map(drop))
    }

    /// The row of a unique reseller whose name ends with `name`.
    fn row(&self, n: usize, name: &str) -> Row {
        let name = format!("Row {} {name}", letters(n));
        let email = format!("{}@rows.example", letters(n));
        let id = Value::Uuid(id(n).as_uuid());
        changed(&self.row, &[("id", id), ("name", name.into()), ("email", email.into())])
    }

    /// Whether another connection sees a reseller, that is, whether it is committed.
    fn is_stored(&self, n: usize) -> bool {
        let connection = Connection::open(&self.file.path).expect("opens");
        let mut found = connection.prepare("SELECT 1 FROM resellers WHERE id = ?1").expect("reads");
        found.exists([id(n).as_uuid().as_bytes()]).expect("reads")
    }

    /// The resellers that a search finds.
    fn found(&self, term: &str) -> Vec<ResellerId> {
        let page = self.file.agency.page(&ResellerQuery::text(term).limit(200)).expect("finds");
        page.resellers.iter().map(|reseller| reseller.id).collect()
    }

    /// How many rows of the search index have a piece of text.
    fn indexed(&self, piece: &str) -> u32 {
        let words = indexed_words(&self.file.path).into_iter();
        words.filter(|(word, _)| word.ends_with(piece)).map(|(_, rows)| rows).sum()
    }

    /// Makes SQLite end a transaction that adds to the total `poison`.
    fn lay_poison(&self) {
        let trigger = "CREATE TRIGGER poison BEFORE INSERT ON totals WHEN NEW.name = 'poison'
                       BEGIN SELECT RAISE(ROLLBACK, 'given up'); END";
        Connection::open(&self.file.path).expect("opens").execute_batch(trigger).expect("lays");
    }

    fn poison(&self) -> Result<()> {
        self.write(poison)
    }

    /// Runs the call with each number below `n` on a thread of its own. Most often the threads
    /// queue in order while another writer is busy, and so share a transaction.
    fn together<T: Send>(&self, n: usize, call: impl Fn(usize) -> T + Sync) -> Vec<Answer<T>> {
        let (inside, called, call) = (AtomicBool::new(false), AtomicUsize::new(0), &call);
        let hold = || {
            inside.store(true, Ordering::SeqCst);
            wait_until(|| called.load(Ordering::SeqCst) == n);
            settle();
            Ok(())
        };
        thread::scope(|scope| {
            scope.spawn(|| self.write(|_| hold()).expect("writes nothing"));
            wait_until(|| inside.load(Ordering::SeqCst));
            let start = |i| {
                let called = &called;
                let thread = scope.spawn(move || {
                    called.fetch_add(1, Ordering::SeqCst);
                    call(i)
                });
                settle();
                thread
            };
            let threads: Vec<_> = (0..n).map(start).collect();
            threads.into_iter().map(thread::ScopedJoinHandle::join).collect()
        })
    }
}

fn id(n: usize) -> ResellerId {
    ResellerId::from_uuid(Uuid::from_u128(n as u128))
}

fn wait_until(reached: impl Fn() -> bool) {
    while !reached() {
        thread::yield_now();
    }
}

/// Gives a thread time to get as far as it can.
fn settle() {
    thread::sleep(Duration::from_millis(1));
}

/// Runs rounds until the writers of one have shared their commit.
fn until_shared(round: impl FnMut(usize) -> bool) {
    assert!((0..ROUNDS).any(round), "the writers of no round shared a commit");
}

/// The first of a hundred numbers that are used nowhere else in a test.
fn number(place: usize, round: usize) -> usize {
    (place * ROUNDS + round) * 100
}

/// Makes SQLite end the transaction, if poison was laid.
fn poison(tx: &mut dyn Rows) -> Result<()> {
    let rows = vec![of_northwind(["poison".into(), 1.into()])];
    tx.tell(vec![Tell::Add(Batch { table: &TOTALS, rows })])
}

fn assert_poisoned(answer: &Answer<Result<()>>) {
    let Ok(Err(error)) = answer else { panic!("{answer:?}") };
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains("constraint"), "{error}");
}

fn own_error(n: usize) -> Error {
    Error::storage(format!("number {n}"))
}

fn assert_own_error(answer: &Answer<Result<()>>, n: usize) {
    let Ok(Err(error)) = answer else { panic!("{n}: {answer:?}") };
    assert_eq!(error.to_string(), own_error(n).to_string());
}

fn assert_own_panic(answer: Answer<Result<()>>, n: usize) {
    let panic = answer.expect_err("a panic");
    assert_eq!(panic.downcast_ref::<usize>(), Some(&n));
}

#[test]
fn writers_share_commits_and_none_is_lost() {
    const WRITERS: usize = 32;
    const EACH: usize = 8;
    let store = Store::new();
    let before = commits(&store.file.path);
    store.together(WRITERS, |i| {
        for n in i * EACH..(i + 1) * EACH {
            store.insert(n, "shared").expect("inserts");
        }
    });
    let made = commits(&store.file.path) - before;
    assert!(made * 2 < WRITERS * EACH, "{made} commits");
    assert!((0..WRITERS * EACH).all(|n| store.is_stored(n)));
    assert_eq!(store.indexed("sha"), (WRITERS * EACH) as u32);
    assert_sound(&store.file.path);
}

/// S50: a panic is resumed on its own thread, and the store continues to work for the others.
#[test]
fn s50_a_panic_of_one_reaches_its_own_caller_and_nobody_else() {
    let store = Store::new();
    for place in [0, 3, 6] {
        until_shared(|round| {
            let first = number(place, round);
            let before = commits(&store.file.path);
            let mut answers = store.together(7, |i| match i {
                i if i == place => store.write(|tx| {
                    insert_one(tx, &RESELLERS, store.row(first + i, "zqxpanicked"))?;
                    panic_any(first + i)
                }),
                i => store.insert(first + i, "beside"),
            });
            assert_own_panic(answers.remove(place), first + place);
            assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(())))), "{answers:?}");
            let stored = (0..7).filter(|i| store.is_stored(first + i));
            assert!(stored.eq((0..7).filter(|i| *i != place)));
            commits(&store.file.path) - before == 1
        });
    }
    assert_eq!(store.indexed("zqx"), 0);
}

#[test]
fn an_error_of_one_undoes_its_own_rows_and_what_the_search_index_was_to_be_told() {
    let store = Store::new();
    let renamed = changed(&store.row, &[("name", "Zqxrenamed".into())]);
    for place in [0, 3, 6] {
        until_shared(|round| {
            let first = number(place, round);
            let before = commits(&store.file.path);
            let mut answers = store.together(7, |i| match i {
                i if i == place => store.write(|tx| {
                    insert_one(tx, &RESELLERS, store.row(first + i, "zqxrefused"))?;
                    assert_eq!(update(tx, &RESELLERS, vec![renamed.clone()])?, [true]);
                    Err(own_error(i))
                }),
                i => store.insert(first + i, "beside"),
            });
            assert_own_error(&answers.remove(place), place);
            assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(())))), "{answers:?}");
            let beside: Vec<_> = (0..7).filter(|i| *i != place).map(|i| first + i).collect();
            assert!(beside.iter().all(|n| store.is_stored(*n)));
            assert!(!store.is_stored(first + place));
            for n in beside {
                assert_eq!(store.found(&letters(n)), [id(n)]);
            }
            commits(&store.file.path) - before == 1
        });
    }
    assert_eq!(store.indexed("zqx"), 0);
    assert_eq!(store.found("template"), [store.template.id], "not by its new name only");
    assert_sound(&store.file.path);
}

/// One writer takes a label, a second one is refused because of that, and a third one ends as
/// given. After a refusal the label is really taken.
fn a_refusal_is_told_after_the_commit(third: impl Fn(&Store) -> Result<()> + Sync) {
    let store = Store::new();
    store.lay_poison();
    until_shared(|round| {
        let label = LoginDomain::parse(&letters(round)).expect("a label");
        let reseller = Value::Uuid(store.template.id.as_uuid());
        let row = vec![label.as_str().into(), "northwind".into(), reseller, Value::Null];
        let ran = AtomicUsize::new(0);
        let take = || {
            store.write(|tx| {
                ran.fetch_add(1, Ordering::SeqCst);
                match insert_one(tx, &LABELS, row.clone())? {
                    Inserted::Done => Ok(()),
                    _ => Err(own_error(1)),
                }
            })
        };
        let met = store.together(3, |i| match i {
            0 | 1 => {
                let refused = take().is_err();
                let taken = Connection::open(&store.file.path).expect("opens");
                let mut taken = taken.prepare("SELECT 1 FROM labels WHERE label = ?1").expect("");
                assert!(taken.exists([label.as_str()]).expect("reads"));
                refused
            }
            _ => third(&store).is_ok(),
        });
        let met: Vec<_> = met.into_iter().map(|answer| answer.expect("no panic")).collect();
        assert_eq!(met[..2].iter().filter(|refused| **refused).count(), 1);
        // Both ran in one transaction, and ran again if it was lost.
        let runs = ran.load(Ordering::SeqCst);
        if met[2] { met[1] } else { runs == 4 }
    });
}

#[test]
fn an_error_that_rests_on_a_neighbours_row_is_told_after_the_commit() {
    a_refusal_is_told_after_the_commit(|store| {
        store.write(|_| {
            thread::sleep(Duration::from_millis(3));
            Ok(())
        })
    });
}

#[test]
fn an_error_that_rests_on_a_row_that_is_lost_is_found_anew() {
    a_refusal_is_told_after_the_commit(Store::poison);
}

#[test]
fn each_of_a_lost_group_is_run_exactly_once_more() {
    let store = Store::new();
    store.lay_poison();
    until_shared(|round| {
        let first = number(0, round);
        let runs: [AtomicU32; 6] = Default::default();
        let mut answers = store.together(6, |i| {
            store.write(|tx| {
                runs[i].fetch_add(1, Ordering::SeqCst);
                insert_one(tx, &RESELLERS, store.row(first + i, "lost"))?;
                match i {
                    2 => Err(own_error(i)),
                    3 => panic_any(i),
                    5 => poison(tx),
                    _ => Ok(()),
                }
            })
        });
        let runs = runs.map(AtomicU32::into_inner);
        assert!(runs.iter().all(|runs| (1..=2).contains(runs)), "{runs:?}");
        let stored: Vec<_> = (0..6).filter(|i| store.is_stored(first + i)).collect();
        assert_eq!(stored, [0, 1, 4]);
        for n in stored {
            assert!(matches!(answers[n], Ok(Ok(()))), "{answers:?}");
            assert_eq!(store.found(&letters(first + n)), [id(first + n)]);
        }
        assert_poisoned(&answers[5]);
        assert_own_error(&answers[2], 2);
        assert_own_panic(answers.swap_remove(3), 3);
        // Work that panics is not run again.
        runs == [2, 2, 2, 1, 2, 2]
    });
    assert_sound(&store.file.path);
}

/// The work fails alone, or together with others, whose rows are lost with it, but stored in the
/// end.
#[test]
fn work_that_passes_over_the_end_of_its_transaction_stores_nothing() {
    let store = Store::new();
    store.lay_poison();
    until_shared(|round| {
        let first = number(0, round);
        let runs = AtomicUsize::new(0);
        let careless = |tx: &mut dyn Rows, n| {
            insert_one(tx, &RESELLERS, store.row(n, "before"))?;
            let poisoned = poison(tx).map_err(|error| error.kind());
            assert_eq!(poisoned, Err(ErrorKind::Storage));
            assert!(insert_one(tx, &RESELLERS, store.row(n + 50, "after")).is_err());
            let nothing = Batch { table: &PENDING_CHANGES, rows: Vec::new() };
            assert!(tx.tell(vec![Tell::Put(nothing)]).is_err());
            Ok(())
        };
        let answers = store.together(3, |i| match i {
            2 => store.write(|tx| careless(tx, first + i)),
            _ => store.write(|tx| {
                runs.fetch_add(1, Ordering::SeqCst);
                insert_one(tx, &RESELLERS, store.row(first + i, "beside")).map(drop)
            }),
        });
        assert!(matches!(answers[..], [Ok(Ok(())), Ok(Ok(())), Ok(Err(_))]), "{answers:?}");
        let alone = store.write(|tx| careless(tx, first + 3)).map_err(|error| error.kind());
        assert_eq!(alone, Err(ErrorKind::Storage));
        assert!((0..2).all(|i| store.is_stored(first + i)));
        assert!((2..100).all(|i| !store.is_stored(first + i)));
        runs.into_inner() == 4
    });
    assert_eq!(store.indexed("fte"), 0);
}

#[test]
fn each_of_a_hundred_gets_its_own_answer() {
    const WRITERS: usize = 100;
    let store = Store::new();
    store.lay_poison();
    let mut shared = 0;
    for round in 0..8 {
        let first = number(0, round);
        // Between none and every tenth writer spoils its group.
        let kind = |i: usize| match (i * 37 + round) % WRITERS {
            n if n < round * 2 => "poison",
            n if n % 5 == 1 => "error",
            n if n % 9 == 2 => "panic",
            _ => "insert",
        };
        let before = commits(&store.file.path);
        let answers = store.together(WRITERS, |i| {
            store.write(|tx| {
                insert_one(tx, &RESELLERS, store.row(first + i, "many"))?;
                match kind(i) {
                    "poison" => poison(tx),
                    "error" => Err(own_error(i)),
                    "panic" => panic_any(i),
                    _ => Ok(()),
                }
            })
        });
        let mut inserted = 0;
        for (i, answer) in answers.into_iter().enumerate() {
            assert_eq!(store.is_stored(first + i), kind(i) == "insert");
            match kind(i) {
                "poison" => assert_poisoned(&answer),
                "error" => assert_own_error(&answer, i),
                "panic" => assert_own_panic(answer, i),
                _ => {
                    assert!(matches!(answer, Ok(Ok(()))), "{answer:?}");
                    inserted += 1;
                }
            }
        }
        shared += inserted - (commits(&store.file.path) - before);
    }
    assert!(shared > 0);
    assert_sound(&store.file.path);
}

/// The steps of an erasure share commits like other work, and no other rows are lost.
#[test]
fn an_erasure_beside_others_loses_nobody() {
    let store = Store::new();
    let platform = Platform::builder().open_storage(store.file.storage.clone()).expect("opens");
    let tailspin = platform.create_agency("tailspin", None).expect("creates");
    let forms: Vec<_> = (0..300).map(|n| invitation(&format!("tail{}", letters(n)))).collect();
    assert!(tailspin.create_resellers(&forms).expect("creates").iter().all(|row| row.is_ok()));
    let answers = store.together(16, |i| match i {
        7 => platform.delete_agency("tailspin").map(drop),
        i => store.insert(i, "beside"),
    });
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(())))), "{answers:?}");
    assert!((0..16).filter(|i| *i != 7).all(|i| store.is_stored(i)));
    assert_eq!(tailspin.page(&ResellerQuery::all()).expect_err("gone").kind(), ErrorKind::NotFound);
    assert_eq!((store.indexed("lst"), store.found("beside").len()), (0, 15));
    assert_sound(&store.file.path);
}
