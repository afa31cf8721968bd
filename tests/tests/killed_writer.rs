//! A process that is killed while it writes leaves everything that it acknowledged, and nothing
//! incomplete.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use partnerkit::{Agency, ChangeKind, Platform, Reseller, ResellerQuery};
use partnerkit_tests::letters;

/// Starts a writer, waits for some acknowledgements, kills it, and returns everything that it
/// acknowledged.
fn kill_a_writer(url: &str, round: &str, after: usize) -> BTreeSet<String> {
    let mut writer = Command::new(env!("CARGO_BIN_EXE_writer"))
        .args([url, round])
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut lines = BufReader::new(writer.stdout.take().expect("piped")).lines();
    let mut acknowledged = BTreeSet::new();
    while acknowledged.len() < after {
        let line = lines.next().expect("the writer goes on").expect("text");
        acknowledged.insert(line);
    }
    writer.kill().expect("SIGKILL");
    // Writes that were acknowledged before the signal arrived count, too.
    acknowledged.extend(lines.map_while(Result::ok));
    writer.wait().expect("ends");
    acknowledged
}

fn everyone(agency: &Agency) -> Vec<Reseller> {
    let mut query = ResellerQuery::all().limit(200);
    let mut all = Vec::new();
    loop {
        let page = agency.page(&query).expect("reads");
        all.extend(page.resellers);
        match page.next {
            Some(next) => query = query.after(next),
            None => return all,
        }
    }
}

fn assert_whole(platform: &Platform, agency: &Agency, acknowledged: &BTreeSet<String>) {
    let resellers = everyone(agency);
    let labels: BTreeSet<_> = resellers.iter().map(|r| r.login_domain.to_string()).collect();
    assert!(acknowledged.is_subset(&labels), "what was acknowledged is there");
    for reseller in &resellers {
        let host = format!("{}.partner.localhost", reseller.login_domain);
        assert_eq!(platform.resolve_host(&host).expect("resolves").reseller, reseller.id);
    }
    let overview = agency.overview().expect("reads");
    assert_eq!(overview.active_resellers, resellers.len() as u64);
    let recorded = overview.messages / 3;
    assert!(recorded >= acknowledged.len() as i64 && recorded <= resellers.len() as i64);

    let mut entries = Vec::new();
    loop {
        let after = entries.last().map_or(0, |change: &partnerkit::Change| change.sequence);
        let next = agency.changes(Some(after), Some(500)).expect("reads");
        if next.is_empty() {
            break;
        }
        entries.extend(next);
    }
    let created = entries.iter().filter(|change| change.kind == ChangeKind::ResellerCreated);
    let created: BTreeSet<_> = created.filter_map(|change| change.reseller).collect();
    assert_eq!(created, resellers.iter().map(|reseller| reseller.id).collect());
}

fn survives(url: &str) {
    Platform::open(url).expect("opens").create_agency("northwind", None).expect("creates");
    let mut acknowledged = BTreeSet::new();
    for (round, after) in [3, 17, 40].into_iter().enumerate() {
        acknowledged.extend(kill_a_writer(url, &letters(round), after));
        let platform = Platform::open(url).expect("opens again");
        let agency = platform.agency("northwind").expect("there");
        assert_whole(&platform, &agency, &acknowledged);
    }
}

#[test]
fn sqlite_survives_a_killed_writer() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("resellers.db");
    survives(&format!("sqlite:{}", path.display()));
    let check = rusqlite::Connection::open(&path).expect("opens");
    let sound: String =
        check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("checks");
    assert_eq!(sound, "ok");
    let platform = Platform::open(&format!("sqlite:{}", path.display())).expect("opens");
    assert_eq!(platform.agencies(None, Some(5)).expect("reads").len(), 1);
}

#[cfg(feature = "postgres-server")]
#[test]
fn postgres_survives_a_killed_writer() {
    survives(&partnerkit_tests::postgres::Database::create().url);
}
