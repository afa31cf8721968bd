//! The search index in the file: it has no data of deleted resellers (S25), and loses no others.

use std::path::PathBuf;

use partnerkit::{
    Agency, Erasure, Platform, ResellerDraft, ResellerId, ResellerPatch, ResellerQuery,
};
use partnerkit_tests::sqlite::{assert_sound, indexed_words, log_of};
use partnerkit_tests::{invitation, letters};
use rusqlite::Connection;

/// Letters that no other name has, of four bytes each, so that their bytes do not occur by chance.
const NAME: &str = "𐌰𐌱𐌲𐌳𐌴";
const TRACES: [&str; 2] = ["𐌱𐌲", "𐌳𐌴"];

struct Store {
    _folder: tempfile::TempDir,
    path: PathBuf,
    platform: Platform,
}

impl Store {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("resellers.db");
        let platform = Platform::open(&format!("sqlite:{}", path.display())).expect("opens");
        Self { _folder: folder, path, platform }
    }

    /// An agency with this many resellers.
    fn agency(&self, id: &str, resellers: usize) -> Agency {
        let agency = self.platform.create_agency(id, None).expect("creates");
        for n in 0..resellers {
            let form = invitation(&format!("{id}{}", letters(n * 677)));
            agency.create_reseller(form).expect("creates");
        }
        agency
    }

    fn words(&self) -> Vec<(String, u32)> {
        indexed_words(&self.path)
    }

    /// The number of blocks of the index in which the traces can be read.
    fn blocks(&self) -> usize {
        let connection = Connection::open(&self.path).expect("opens");
        let blocks = "SELECT block FROM resellers_search_data";
        let mut blocks = connection.prepare(blocks).expect("prepares");
        let blocks = blocks.query_map([], |row| row.get::<_, Vec<u8>>(0)).expect("reads");
        blocks.filter(|block| has_trace(block.as_ref().expect("reads"))).count()
    }

    /// Whether the traces can be read in the file or its log after upkeep.
    fn is_in_files(&self) -> bool {
        let done = self.platform.maintain(Some(1_000)).expect("maintains");
        assert_eq!(done.erasure, Erasure::Complete);
        [self.path.clone(), log_of(&self.path)]
            .iter()
            .any(|file| has_trace(&std::fs::read(file).expect("bytes")))
    }

    fn assert_gone(&self, words: &[(String, u32)]) {
        assert_eq!(self.words(), words);
        assert_eq!(self.blocks(), 0);
        assert!(!self.is_in_files());
        assert_sound(&self.path);
    }
}

fn has_trace(bytes: &[u8]) -> bool {
    let has = |trace: &str| bytes.windows(trace.len()).any(|window| window == trace.as_bytes());
    TRACES.into_iter().any(has)
}

fn gothic() -> ResellerDraft {
    let email = format!("owner@{NAME}.example");
    ResellerDraft { name: format!("The {NAME} company"), email, ..invitation("gothic") }
}

fn found(agency: &Agency, text: &str) -> Vec<ResellerId> {
    let page = agency.page(&ResellerQuery::text(text)).expect("searches");
    page.resellers.iter().map(|reseller| reseller.id).collect()
}

#[test]
fn s25_no_piece_that_only_a_deleted_reseller_had_is_in_the_index() {
    let store = Store::new();
    let agency = store.agency("northwind", 60);
    let before = store.words();
    let id = agency.create_reseller(gothic()).expect("creates").id;
    assert_eq!(found(&agency, NAME), [id]);
    assert!(store.blocks() > 0 && store.is_in_files(), "it was there");
    agency.delete_reseller(id).expect("deletes");
    store.assert_gone(&before);
}

#[test]
fn s25_nor_one_of_a_name_and_an_email_that_were_changed() {
    let store = Store::new();
    let agency = store.agency("northwind", 60);
    let renamed = agency.create_reseller(invitation("gothic")).expect("creates").id;
    let before = store.words();
    let change = |form: ResellerDraft| {
        let (name, email) = (Some(form.name), Some(form.email));
        let patch = ResellerPatch { name, email, ..ResellerPatch::default() };
        agency.update_reseller(renamed, None, &patch).expect("updates");
    };
    change(gothic());
    assert_eq!(found(&agency, NAME), [renamed]);
    assert!(store.blocks() > 0, "it was there");
    change(invitation("gothic"));
    assert_eq!(found(&agency, NAME), []);
    assert_eq!(found(&agency, "gothic"), [renamed]);
    store.assert_gone(&before);
}

#[test]
fn s25_nor_one_of_a_deleted_agency() {
    let store = Store::new();
    let kept = store.agency("northwind", 60);
    let before = store.words();
    let agency = store.agency("southwind", 60);
    agency.create_reseller(gothic()).expect("creates");
    assert!(store.blocks() > 0, "it was there");
    store.platform.delete_agency("southwind").expect("deletes");
    assert_eq!(found(&kept, "northwind").len(), 25);
    store.assert_gone(&before);
}

/// A `VACUUM` by hand must not mix up rows: the index refers to them by a number in a column of
/// their own.
#[test]
fn s27_rows_are_found_after_a_vacuum_by_hand() {
    let store = Store::new();
    let agency = store.agency("northwind", 60);
    let all = agency.page(&ResellerQuery::all().limit(200)).expect("reads").resellers;
    let (gone, kept): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(n, _)| n % 3 == 0);
    for (_, reseller) in gone {
        agency.delete_reseller(reseller.id).expect("deletes");
    }
    let words = store.words();
    Connection::open(&store.path).expect("opens").execute_batch("VACUUM").expect("tidies up");
    assert_eq!(store.words(), words);
    for (_, reseller) in &kept {
        assert_eq!(found(&agency, reseller.login_domain.as_str()), [reseller.id]);
    }
    let id = agency.create_reseller(gothic()).expect("creates").id;
    assert_eq!(found(&agency, NAME), [id]);
    agency.delete_reseller(id).expect("deletes");
    store.assert_gone(&words);
}
