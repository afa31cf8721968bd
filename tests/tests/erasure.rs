//! Deleted data is erased from every table, and on SQLite from every file (S25).

use std::path::Path;

use partnerkit::storage::Erasure;
use partnerkit::{Agency, ContactDraft, Metric, PhoneDraft, Platform, ResellerDraft, UsageEvent};
use partnerkit_tests::{invitation, letters};

const PASSWORD: &str = "plain teal walrus 94 umbrella";

/// Unique texts, one for each field.
const TRACES: [&str; 9] = [
    "Zzyzx Trading",
    "zzyzx-owner",
    "4930123123",
    "zzyzx-site",
    "zzyzx-crm",
    "zzyzx-note",
    "Zzyzx Contact",
    "zzyzx-contact",
    "zzyzx-reason",
];

fn zzyzx() -> ResellerDraft {
    ResellerDraft {
        name: "Zzyzx Trading".into(),
        email: "zzyzx-owner@acme.example".into(),
        phone: PhoneDraft::international("+4930123123"),
        invite: false,
        password: PASSWORD.into(),
        password_confirmation: PASSWORD.into(),
        contact: ContactDraft {
            name: "Zzyzx Contact".into(),
            email: "zzyzx-contact@acme.example".into(),
            phone: PhoneDraft::international("+4930123123"),
        },
        website: Some("https://zzyzx-site.example".into()),
        external_id: Some("zzyzx-crm".into()),
        // Too much for one page.
        metadata: (0..40).map(|n| (format!("key {n}"), "zzyzx-note ".repeat(40))).collect(),
        ..invitation("acme")
    }
}

/// A reseller that leaves as many traces as possible, among other resellers.
fn live(agency: &Agency, platform: &Platform) -> partnerkit::ResellerId {
    for n in 0..40 {
        agency.create_reseller(invitation(&format!("a{}", letters(n)))).expect("creates");
    }
    let id = agency.create_reseller(zzyzx().once("key-1")).expect("creates").id;
    let note = "zzyzx-note, too".to_owned();
    let patch = partnerkit::ResellerPatch {
        metadata: Some([("key".to_owned(), note)].into()),
        ..Default::default()
    };
    agency.update_reseller(id, None, &patch).expect("updates");
    let at = agency.reseller(id).expect("there").created_at;
    let event =
        UsageEvent { id: "e-1".into(), reseller: id, metric: Metric::MESSAGES, quantity: 5, at };
    agency.record_usage(&[event]).expect("records");
    platform.sign_in("acme", "zzyzx-owner@acme.example", "wrong", None).expect_err("denied");
    agency.deactivate(id, Some("zzyzx-reason")).expect("deactivates");
    for n in 40..80 {
        agency.create_reseller(invitation(&format!("a{}", letters(n)))).expect("creates");
    }
    id
}

/// The traces that can be read in the files of a database.
fn found_in_files(database: &Path) -> Vec<&'static str> {
    let folder = database.parent().expect("a folder");
    let files =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("one").path());
    let bytes: Vec<u8> = files.flat_map(|file| std::fs::read(file).expect("bytes")).collect();
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    TRACES.into_iter().filter(|trace| text.contains(&trace.to_lowercase())).collect()
}

fn in_a_file() -> (tempfile::TempDir, std::path::PathBuf, Platform, Agency) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("resellers.db");
    let platform = Platform::open(&format!("sqlite:{}", file.display())).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    (folder, file, platform, agency)
}

#[test]
fn s25_nothing_of_a_deleted_reseller_is_left_in_the_files() {
    let (_folder, file, platform, agency) = in_a_file();
    let id = live(&agency, &platform);
    assert_eq!(found_in_files(&file), TRACES, "it was there");
    assert_eq!(agency.delete_reseller(id).expect("deletes"), Erasure::Complete);
    assert_eq!(found_in_files(&file), [""; 0]);
    assert_eq!(agency.overview().expect("reads").messages, 5, "history stays");
}

#[test]
fn s25_nor_of_a_deleted_agency() {
    let (_folder, file, platform, agency) = in_a_file();
    live(&agency, &platform);
    assert_eq!(platform.delete_agency("northwind").expect("deletes"), Erasure::Complete);
    assert_eq!(found_in_files(&file), [""; 0]);
}

#[test]
fn s25_a_reader_makes_it_pending_and_upkeep_finishes_it() {
    let (_folder, file, platform, agency) = in_a_file();
    let id = live(&agency, &platform);
    let reader = rusqlite::Connection::open(&file).expect("opens");
    reader.execute_batch("BEGIN; SELECT count(*) FROM resellers;").expect("a snapshot");
    assert_eq!(agency.delete_reseller(id).expect("deletes"), Erasure::Pending);
    assert!(!found_in_files(&file).is_empty(), "the reader still sees it");
    assert_eq!(platform.maintain(Some(100)).expect("maintains").erasure, Erasure::Pending);
    reader.execute_batch("COMMIT").expect("ends");
    assert_eq!(platform.maintain(Some(100)).expect("maintains").erasure, Erasure::Complete);
    assert_eq!(found_in_files(&file), [""; 0]);
}

#[cfg(feature = "postgres-server")]
#[test]
fn s25_no_row_of_any_table_has_a_trace() {
    let database = partnerkit_tests::postgres::Database::create();
    let platform = Platform::open(&database.url).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    let id = live(&agency, &platform);
    assert_eq!(found_in_rows(&database), TRACES, "it was there");
    assert_eq!(agency.delete_reseller(id).expect("deletes"), Erasure::Complete);
    assert_eq!(found_in_rows(&database), [""; 0]);
}

#[cfg(feature = "postgres-server")]
#[test]
fn s25_nor_of_a_deleted_agency_in_any_row() {
    let database = partnerkit_tests::postgres::Database::create();
    let platform = Platform::open(&database.url).expect("opens");
    let agency = platform.create_agency("northwind", None).expect("creates");
    live(&agency, &platform);
    let other = platform.create_agency("tailspin", None).expect("creates");
    other.create_reseller(invitation("globex")).expect("creates");
    assert_eq!(found_in_rows(&database), TRACES, "it was there");
    assert_eq!(platform.delete_agency("northwind").expect("deletes"), Erasure::Complete);
    assert_eq!(found_in_rows(&database), [""; 0]);
    assert_eq!(other.overview().expect("reads").active_resellers, 1, "the other one stays");
}

/// The traces that can be read in the rows of a server's tables.
#[cfg(feature = "postgres-server")]
fn found_in_rows(database: &partnerkit_tests::postgres::Database) -> Vec<&'static str> {
    let tables = database
        .run("SELECT table_name FROM information_schema.tables WHERE table_schema = 'partnerkit'");
    assert!(tables.len() > 10);
    let rows = tables.iter().flat_map(|table| {
        database.run(&format!("SELECT lower(t::text) FROM partnerkit.{table} AS t"))
    });
    let text = rows.collect::<String>();
    TRACES.into_iter().filter(|trace| text.contains(&trace.to_lowercase())).collect()
}
