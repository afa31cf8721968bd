//! SQLite files with overwritten pages: reading them is a typed error, and the rest stays readable.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use partnerkit::{Agency, ErrorKind, Platform, ResellerId, ResellerQuery, Result, SortBy};
use partnerkit_tests::{invitation, letters};
use rusqlite::Connection;

const ROWS: usize = 600;

/// A closed store with some hundred resellers.
struct Store {
    _folder: tempfile::TempDir,
    path: PathBuf,
    ids: Vec<ResellerId>,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("resellers.db");
        let agency = open(&path).create_agency("northwind", None).expect("creates");
        let forms: Vec<_> = (0..ROWS).map(|n| invitation(&format!("a{}", letters(n)))).collect();
        let made = agency.create_resellers(&forms).expect("creates");
        let ids = made.into_iter().map(|row| row.expect("creates").id).collect();
        Self { _folder: folder, path, ids }
    }

    /// Overwrites pages in the middle of a table or index, except the first bytes of each.
    fn damage(&self, table: &str, pages: usize, keep: usize) {
        let leaves =
            "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path";
        let connection = Connection::open(&self.path).expect("opens");
        let mut leaves = connection.prepare(leaves).expect("prepares");
        let leaves = leaves.query_map([table], |row| row.get::<_, u32>(0)).expect("reads");
        let leaves: Vec<_> = leaves.collect::<Result<_, _>>().expect("reads");
        assert!(leaves.len() > pages + 2, "{table}: {leaves:?}");
        let file = OpenOptions::new().write(true).open(&self.path).expect("opens");
        let first = (leaves.len() - pages) / 2;
        for page in &leaves[first..first + pages] {
            let at = u64::from(page - 1) * 4096 + keep as u64;
            file.write_all_at(&vec![0xA5; 4096 - keep], at).expect("writes");
        }
    }

    fn agency(&self) -> Agency {
        open(&self.path).agency("northwind").expect("that is elsewhere")
    }
}

fn open(path: &Path) -> Platform {
    Platform::open(&format!("sqlite:{}", path.display())).expect("opens")
}

/// Whether it succeeded; a failure must be a typed error.
fn succeeds<T>(result: Result<T>) -> bool {
    let kind = result.map(drop).map_err(|error| error.kind());
    assert!(matches!(kind, Ok(()) | Err(ErrorKind::Storage)), "{kind:?}");
    kind.is_ok()
}

/// Runs every list and search, and counts the rows that can be read one by one.
fn readable(store: &Store, agency: &Agency) -> usize {
    let everything = ResellerQuery::all().limit(200);
    succeeds(agency.page(&everything));
    succeeds(agency.page(&everything.ascending(SortBy::Name)));
    store.ids.iter().filter(|id| succeeds(agency.reseller(**id))).count()
}

#[test]
fn a_damaged_page_of_rows_is_a_typed_error_and_the_others_are_readable() {
    for keep in [0, 100, 2_000] {
        let store = Store::new();
        store.damage("resellers", 1, keep);
        let agency = store.agency();
        let readable = readable(&store, &agency);
        assert!(readable > ROWS / 2, "{keep}: {readable}");
        assert!(readable < ROWS, "{keep}: something was damaged");
        succeeds(agency.create_reseller(invitation("afterwards")));
        assert_eq!(self::readable(&store, &agency), readable, "{keep}");
    }
}

#[test]
fn a_damaged_page_of_the_search_index_is_a_typed_error_and_every_row_is_readable() {
    let store = Store::new();
    store.damage("resellers_search_data", 5, 0);
    let agency = store.agency();
    assert_eq!(readable(&store, &agency), ROWS);
    let found = |n| succeeds(agency.page(&ResellerQuery::text(format!("a{}", letters(n)))));
    let found = (0..ROWS).filter(|n| found(*n)).count();
    assert!(found < ROWS, "something was damaged");
}
