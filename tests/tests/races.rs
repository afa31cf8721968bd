//! Races of processes on one store: the promises for many threads also hold for many processes.

use std::collections::BTreeSet;

use partnerkit::{Agency, Platform, ResellerDraft};
use partnerkit_tests::invitation;
use partnerkit_tests::races::{EMAIL, LABEL, PASSWORD, Racer, race};

const RACER: &str = env!("CARGO_BIN_EXE_racer");
const PROCESSES: usize = 8;

/// Runs a race on a new store in a file, and on PostgreSQL if there is a server.
fn on_each_store(race: impl Fn(&str)) {
    let folder = tempfile::tempdir().expect("a folder");
    race(&format!("sqlite:{}", folder.path().join("resellers.db").display()));
    #[cfg(feature = "postgres-server")]
    {
        let database = partnerkit_tests::postgres::Database::create();
        race(&database.url);
    }
}

fn northwind(url: &str) -> (Platform, Agency) {
    let platform = Platform::open(url).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    (platform, agency)
}

/// S52: if eight processes open a new store at once, each finds the complete schema, one secret is
/// made, and one process reads what another writes.
#[test]
fn s52_many_processes_open_a_new_store_at_once() {
    on_each_store(|url| {
        let told = race(RACER, &[(); PROCESSES].map(|()| vec![url, "open"]));
        assert_eq!(told, ["ok"; PROCESSES], "{url}");
        let (tables, secrets) = tables_and_secrets(url);
        assert_eq!(tables, whole_schema(url));
        assert_eq!(secrets, 1, "{url}");
        let (_, agency) = northwind(url);
        agency.create_reseller(invitation(LABEL)).expect("creates");
        let told = race(RACER, &[(); PROCESSES].map(|()| vec![url, "open"]));
        assert_eq!(told, ["ok"; PROCESSES], "and open it again");
        assert_eq!(tables_and_secrets(url), (tables, secrets), "which changes nothing");
    });
}

/// The definitions in a store's schema, with its versions, and the number of secrets.
fn tables_and_secrets(url: &str) -> (BTreeSet<String>, usize) {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let connection = rusqlite::Connection::open(path).expect("opens");
        let read = |sql: &str| {
            let mut statement = connection.prepare(sql).expect("prepares");
            let texts = statement.query_map([], |row| row.get(0)).expect("runs");
            texts.collect::<Result<Vec<String>, _>>().expect("reads")
        };
        let mut tables =
            read("SELECT type || ' ' || name || ' ' || ifnull(sql, '') FROM sqlite_schema");
        tables.extend(read("SELECT 'version ' || user_version FROM pragma_user_version"));
        return (tables.into_iter().collect(), read("SELECT 'one' FROM secrets").len());
    }
    of_postgres(url)
}

#[cfg(not(feature = "postgres-server"))]
fn of_postgres(url: &str) -> (BTreeSet<String>, usize) {
    panic!("{url} is no store of these tests");
}

#[cfg(feature = "postgres-server")]
fn of_postgres(url: &str) -> (BTreeSet<String>, usize) {
    let read = |sql: &str| partnerkit_tests::postgres::read(url, sql);
    let columns = read(
        "SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable \
         FROM information_schema.columns WHERE table_schema = 'partnerkit'",
    );
    let indexes = read("SELECT indexdef FROM pg_indexes WHERE schemaname = 'partnerkit'");
    let versions = read("SELECT 'version ' || version FROM partnerkit.migrations");
    let tables = columns.into_iter().chain(indexes).chain(versions).collect();
    (tables, read("SELECT 'one' FROM partnerkit.secrets").len())
}

/// The schema that a single process makes of a new store of this kind.
fn whole_schema(like: &str) -> BTreeSet<String> {
    let folder = tempfile::tempdir().expect("a folder");
    #[cfg(feature = "postgres-server")]
    if !like.starts_with("sqlite:") {
        let database = partnerkit_tests::postgres::Database::create();
        Platform::open(&database.url).expect("opens");
        return tables_and_secrets(&database.url).0;
    }
    assert!(like.starts_with("sqlite:"));
    let url = format!("sqlite:{}", folder.path().join("resellers.db").display());
    Platform::open(&url).expect("opens");
    tables_and_secrets(&url).0
}

/// S56: of eight workers that start at once, one creates the agency, and all get it.
#[test]
fn s56_many_processes_need_an_agency_at_once() {
    on_each_store(|url| {
        let platform = Platform::open(url).expect("opens");
        let told = race(RACER, &[(); PROCESSES].map(|()| vec![url, "ensure"]));
        assert_eq!(told, ["ok"; PROCESSES], "{url}");
        let agency = platform.agency("northwind").expect("there");
        assert_eq!(agency.changes(Some(0), Some(10)).expect("reads").len(), 1, "created once");
    });
}

/// Splits a hundred creates over the processes and counts how each ended.
fn creates(url: &str, labels: &[String], emails: &[String]) -> (usize, Vec<String>) {
    let labels = labels.join(",");
    let chunks: Vec<String> =
        emails.chunks(emails.len().div_ceil(PROCESSES)).map(|c| c.join(",")).collect();
    let arguments: Vec<_> =
        chunks.iter().map(|emails| vec![url, "create", labels.as_str(), emails.as_str()]).collect();
    let told = race(RACER, &arguments).join(" ");
    let words: Vec<_> = told.split(' ').map(str::to_owned).collect();
    let (won, lost): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word == "ok");
    (won.len(), lost)
}

#[test]
fn s3_of_a_hundred_creates_of_one_label_one_succeeds() {
    on_each_store(|url| {
        let (_, agency) = northwind(url);
        let emails: Vec<_> = (0..100).map(|n| format!("owner{n}@acme.example")).collect();
        let (won, lost) = creates(url, &[LABEL.to_owned()], &emails);
        assert_eq!((won, lost.len()), (1, 99), "{url}");
        assert!(lost.iter().all(|word| word == "login_domain:taken"), "{lost:?}");
        assert_eq!(agency.overview().expect("reads").active_resellers, 1);
    });
}

#[test]
fn s9_of_a_hundred_creates_of_one_email_one_succeeds() {
    on_each_store(|url| {
        let (_, agency) = northwind(url);
        let labels: Vec<_> =
            (0..13).map(|n| format!("acme{}", partnerkit_tests::letters(n))).collect();
        let emails: Vec<_> = (0..100)
            .map(|n| if n % 2 == 0 { EMAIL.to_owned() } else { EMAIL.to_uppercase() })
            .collect();
        let (won, lost) = creates(url, &labels, &emails);
        assert_eq!((won, lost.len()), (1, 99), "{url}");
        let email =
            |word: &String| word == "email:taken" || word == "email:taken+login_domain:taken";
        assert!(lost.iter().all(email), "{lost:?}");
        assert_eq!(agency.overview().expect("reads").active_resellers, 1);
    });
}

#[test]
fn s22_of_many_updates_of_one_version_one_succeeds() {
    on_each_store(|url| {
        let (_, agency) = northwind(url);
        let id = agency.create_reseller(invitation(LABEL)).expect("creates").id;
        let text = id.to_string();
        let told = race(RACER, &vec![vec![url, "update", text.as_str()]; 16]);
        assert_eq!(told.iter().filter(|word| *word == "ok").count(), 1, "{told:?}");
        assert_eq!(told.iter().filter(|word| *word == "conflict").count(), 15, "{told:?}");
        assert_eq!(agency.reseller(id).expect("there").version, 2);
    });
}

/// S19: 64 processes make a hundred wrong guesses each. The hash is of an old scheme of the host,
/// whose verifier counts how many guesses were verified.
#[test]
fn s19_no_more_guesses_are_evaluated_than_the_limit_allows() {
    const LIMIT: usize = 20;
    struct Old;
    impl partnerkit::LegacyVerifier for Old {
        fn recognises(&self, hash: &str) -> bool {
            hash.starts_with("old:")
        }
        fn verify(&self, password: &str, hash: &str) -> Option<bool> {
            Some(hash.strip_prefix("old:") == Some(password))
        }
    }
    on_each_store(|url| {
        let builder = Platform::builder().legacy_verifier(std::sync::Arc::new(Old));
        let platform = builder.sign_in_limit(LIMIT as u32).open(url).expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        let hash = Some(format!("old:{PASSWORD}"));
        let draft = ResellerDraft { invite: false, password_hash: hash, ..invitation(LABEL) };
        let reseller = agency.create_reseller(draft).expect("creates").id;
        let folder = tempfile::tempdir().expect("a folder");
        let evaluated = folder.path().join("evaluated");
        std::fs::write(&evaluated, "").expect("a file");
        let (limit, file) = (LIMIT.to_string(), evaluated.display().to_string());
        // Every guess costs a computation, so there are a hundred per process in the file, but
        // fewer on the server.
        let guesses = if url.starts_with("sqlite:") { "100" } else { "20" };
        let arguments = vec![url, "guess", limit.as_str(), guesses, file.as_str()];
        race(RACER, &vec![arguments; 64]);
        assert_eq!(std::fs::read(&evaluated).expect("counted").len(), LIMIT, "{url}");
        platform
            .sign_in(LABEL, EMAIL, PASSWORD, None)
            .expect_err("stopped, even for the right one");
        let stops = agency.changes(Some(0), Some(100)).expect("reads").into_iter();
        let stops = stops.filter(|change| change.kind == partnerkit::ChangeKind::SignInLocked);
        assert_eq!(stops.map(|change| change.reseller).collect::<Vec<_>>(), [Some(reseller)]);
        agency.unlock(reseller).expect("unlocks");
        platform.sign_in(LABEL, EMAIL, PASSWORD, None).expect("signs in");
    });
}

/// Eight processes use their access as often as they can. Once the call that ends it has returned,
/// none of 10,000 further tries succeeds.
fn nobody_comes_in_after(
    checks: u32,
    sign_ins: u32,
    shut: impl Fn(&Agency, partnerkit::ResellerId),
) {
    on_each_store(|url| {
        let (platform, agency) = northwind(url);
        let (password, confirmation) = (PASSWORD.to_owned(), PASSWORD.to_owned());
        let draft = ResellerDraft {
            invite: false,
            password,
            password_confirmation: confirmation,
            ..invitation(LABEL)
        };
        let id = agency.create_reseller(draft).expect("creates").id;
        let stamp = platform.sign_in(LABEL, EMAIL, PASSWORD, None).expect("signs in").stamp;
        let (checks, sign_ins) = (checks.to_string(), sign_ins.to_string());
        let arguments = [url, "enter", &stamp, &checks, &sign_ins];
        let mut racers: Vec<_> = (0..PROCESSES).map(|_| Racer::start(RACER, &arguments)).collect();
        racers.iter_mut().for_each(Racer::go);
        racers.iter_mut().for_each(|racer| assert_eq!(racer.hear(), "inside"));
        shut(&agency, id);
        racers.iter_mut().for_each(Racer::go);
        let came_in: Vec<_> = racers.into_iter().map(Racer::finish).collect();
        assert_eq!(came_in, vec!["0"; PROCESSES], "{url}");
    });
}

#[test]
fn s20_after_a_deactivation_nobody_comes_in() {
    nobody_comes_in_after(1_150, 100, |agency, id| {
        agency.deactivate(id, Some("nonpayment")).expect("deactivates");
    });
}

#[test]
fn s20_after_a_new_password_nobody_comes_in() {
    nobody_comes_in_after(100, 10, |agency, id| {
        let new = "another teal walrus 95 umbrella";
        agency.set_password(id, new, new).expect("sets");
    });
}

#[test]
fn s20_after_a_deletion_nobody_comes_in() {
    nobody_comes_in_after(100, 10, |agency, id| {
        agency.delete_reseller(id).expect("deletes");
    });
}
