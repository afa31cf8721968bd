//! A backup taken at any moment opens and verifies (S54).

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use partnerkit::{Agency, ErrorKind, Metric, Platform, ResellerQuery, UsageEvent};
use partnerkit_tests::sqlite::assert_sound;
use partnerkit_tests::{invitation, letters};
use rusqlite::Connection;
use rusqlite::backup::Backup;

const ROUNDS: usize = 6;

/// Writes until it is told to stop.
fn write(agency: &Agency, stop: &AtomicBool) {
    for n in 0.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let reseller = agency.create_reseller(invitation(&format!("b{}", letters(n))));
        let reseller = reseller.expect("creates");
        let event = UsageEvent {
            id: format!("e-{n}"),
            reseller: reseller.id,
            metric: Metric::MESSAGES,
            quantity: 1,
            at: reseller.created_at,
        };
        agency.record_usage(&[event]).expect("records");
        if n % 5 == 0 {
            agency.delete_reseller(reseller.id).expect("deletes");
        }
    }
}

/// Checks everything that must agree in a complete database.
fn verify(url: &str) -> usize {
    let platform = Platform::open(url).expect("opens");
    let agency = platform.agency("northwind").expect("there");
    let mut listed = 0;
    let mut next = Some(ResellerQuery::all().limit(200));
    while let Some(query) = next {
        let page = agency.page(&query).expect("reads");
        for reseller in &page.resellers {
            let host = format!("{}.partner.localhost", reseller.login_domain);
            assert_eq!(platform.resolve_host(&host).expect("resolves").reseller, reseller.id);
        }
        listed += page.resellers.len();
        next = page.next.map(|cursor| query.after(cursor));
    }
    let overview = agency.overview().expect("reads");
    assert_eq!(usize::try_from(overview.active_resellers).expect("small"), listed);
    // Each reseller is counted in one step, and its message in the next.
    let changes = agency.changes(Some(0), Some(1_000)).expect("reads").into_iter();
    let created = changes.filter(|change| change.kind == partnerkit::ChangeKind::ResellerCreated);
    let created = i64::try_from(created.count()).expect("small");
    assert!(created < 1_000 && (created - overview.messages).abs() <= 1, "{created} {overview:?}");
    agency.create_reseller(invitation("afterwards")).expect("can be written to");
    listed
}

/// Takes backups while a thread writes; `copy` verifies one, and returns how many resellers it has.
fn at_any_moment(url: &str, copy: impl Fn(&Platform, usize) -> usize) {
    let platform = Platform::open(url).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| write(&agency, &stop));
        // Stops the writer even if a backup is wrong, so that the test ends.
        let _stop = Stop(&stop);
        let mut last = 0;
        for round in 0..ROUNDS {
            // Not two backups at the same moment.
            while agency.overview().expect("reads").active_resellers < 4 * round as u64 {
                thread::yield_now();
            }
            let listed = copy(&platform, round);
            assert!(listed >= last, "later backups have more");
            last = listed;
        }
        assert!(last > 0);
    });
}

/// Stops the writer when it is dropped.
struct Stop<'s>(&'s AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn s54_an_online_backup_opens_and_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("resellers.db");
    at_any_moment(&format!("sqlite:{}", file.display()), |_, round| {
        let copy = folder.path().join(format!("backup-{round}.db"));
        let source = Connection::open(&file).expect("opens");
        let mut target = Connection::open(&copy).expect("opens");
        let backup = Backup::new(&source, &mut target).expect("begins");
        backup.run_to_completion(7, std::time::Duration::ZERO, None).expect("copies");
        drop(backup);
        drop(target);
        assert_sound(&copy);
        verify(&format!("sqlite:{}", copy.display()))
    });
}

#[test]
fn s54_a_backup_of_the_platforms_own_opens_and_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    at_any_moment(&url("resellers.db"), |platform, round| {
        let name = format!("backup-{round}.db");
        let changes = |platform: &Platform| {
            let agency = platform.agency("northwind").expect("there");
            agency.changes(Some(0), Some(1_000)).expect("reads")
        };
        let acknowledged = changes(platform);
        platform.backup(folder.path().join(&name)).expect("copies");
        assert_sound(&folder.path().join(&name));
        let copied = changes(&Platform::open(&url(&name)).expect("opens"));
        assert!(acknowledged.len() < 1_000 && copied.starts_with(&acknowledged));
        verify(&url(&name))
    });
    let left = std::fs::read_dir(folder.path()).expect("a folder");
    let hidden = |name: &std::ffi::OsString| name.as_encoded_bytes().starts_with(b".");
    assert!(!left.map(|file| file.expect("a file").file_name()).any(|name| hidden(&name)));
}

#[test]
fn s54_a_backup_replaces_nothing_and_is_whole_or_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let platform = Platform::open(&format!("sqlite:{}", at("resellers.db").display()));
    let platform = platform.expect("opens");
    platform.create_agency("northwind", None).expect("creates");
    std::fs::write(at("other"), "another file").expect("writes");
    std::fs::create_dir(at("folder")).expect("a folder");
    let names = || {
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        let mut names: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    for name in ["other", "folder", "resellers.db", "nowhere/backup.db", "other/backup.db", ""] {
        let path = if name.is_empty() { std::path::PathBuf::new() } else { at(name) };
        let error = platform.backup(path).expect_err(name);
        assert_eq!(error.kind(), ErrorKind::Io, "{name}");
        assert!(!error.to_string().contains("backup.db"), "no input in a message");
    }
    assert_eq!(names(), before);
    assert_eq!(std::fs::read_to_string(at("other")).expect("reads"), "another file");
    platform.agency("northwind").expect("is there still");
    platform.backup(at("backup.db")).expect("copies");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = std::fs::metadata(at("backup.db")).expect("there").permissions().mode();
        assert_eq!(rights & 0o777, 0o600);
    }
}

#[test]
fn s54_a_backup_has_nothing_that_was_deleted_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let platform = Platform::open(&format!("sqlite:{}", at("resellers.db").display()));
    let platform = platform.expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    agency.create_reseller(invitation("stays")).expect("creates");
    let gone = agency.create_reseller(invitation("vanishes")).expect("creates");
    agency.delete_reseller(gone.id).expect("deletes");
    platform.backup(at("backup.db")).expect("copies");
    let bytes = std::fs::read(at("backup.db")).expect("reads");
    let has = |text: &str| bytes.windows(text.len()).any(|found| found == text.as_bytes());
    assert!(has("owner@stays.example") && !has("owner@vanishes.example"));
}

/// A dump through a cluster's coordinator is not one snapshot: one of a busy agency had 832
/// resellers, and 852 in its total.
#[cfg(feature = "postgres-server")]
#[test]
#[cfg_attr(feature = "citus-server", ignore = "Citus has no snapshot of several nodes")]
fn s54_a_dump_restores_and_verifies() {
    use partnerkit_tests::postgres::{Database, program};

    let folder = tempfile::tempdir().expect("a folder");
    let dump = folder.path().join("dump.sql");
    let database = Database::create();
    let run = |name, url: &str, options: &[&str]| {
        let mut command = program(name);
        let ended =
            command.arg("--dbname").arg(url).args(options).arg("--file").arg(&dump).output();
        let ended = ended.expect("starts");
        assert!(ended.status.success(), "{name}: {}", String::from_utf8_lossy(&ended.stderr));
    };
    at_any_moment(&database.url, |_, _| {
        run("pg_dump", &database.url, &[]);
        let copy = Database::create();
        run("psql", &copy.url, &["--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1"]);
        let counts = copy.run(
            "SELECT (SELECT count(*) FROM partnerkit.resellers) || ' ' || \
             (SELECT count(*) FROM partnerkit.credentials) || ' ' || \
             (SELECT count(*) FROM partnerkit.labels WHERE reseller IS NOT NULL)",
        );
        let listed = verify(&copy.url);
        assert_eq!(counts, [format!("{listed} {listed} {listed}")]);
        listed
    });
}
