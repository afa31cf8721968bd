//! What the tests share: stores that are made for one test and gone after it.

use std::sync::{Arc, Mutex};

use partnerkit::storage::Storage;
use partnerkit::storage::conformance::Harness;
use partnerkit::storage::sqlite::Sqlite;
use tempfile::TempDir;

/// A store in a new file for each case.
#[derive(Default)]
pub struct InFiles {
    folders: Mutex<Vec<TempDir>>,
}

impl Harness for InFiles {
    fn storage(&self) -> Arc<dyn Storage> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let storage = Sqlite::open(folder.path().join("resellers.db")).expect("opens");
        self.folders.lock().expect("no panic").push(folder);
        Arc::new(storage)
    }
}
