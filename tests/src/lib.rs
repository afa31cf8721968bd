//! Shared by the tests: stores that exist for one test only, and forms.

pub mod churn;
pub mod disk;
#[cfg(unix)]
pub mod forked;
pub mod partitions;
pub mod postgres;
pub mod proxy;
pub mod races;
pub mod repository;
pub mod rollups;
pub mod rows;
pub mod seeded;
pub mod sqlite;
pub mod statements;
pub mod vectors;
pub mod wire;

use std::sync::{Arc, Mutex};

use partnerkit::storage::Storage;
use partnerkit::storage::conformance::Harness;
use partnerkit::storage::sqlite::Sqlite;
use partnerkit::{ContactDraft, PhoneDraft, ResellerDraft};
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

/// A number as four letters.
pub fn letters(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    [17_576, 676, 26, 1].map(|place| letter(n / place)).iter().collect()
}

/// The form of a reseller without a password.
pub fn invitation(label: &str) -> ResellerDraft {
    ResellerDraft {
        partner_type: "own_plans".into(),
        name: format!("The {label} company"),
        email: format!("owner@{label}.example"),
        phone: PhoneDraft::national("US", "(415) 555-2671"),
        invite: true,
        contact: ContactDraft {
            name: "Ann Lee".into(),
            email: "ann@contact.example".into(),
            phone: PhoneDraft::international("+49 30 901820"),
        },
        login_domain: label.into(),
        ..ResellerDraft::default()
    }
}
