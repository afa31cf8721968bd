//! SQLite on a disk that is full or read-only: every call gets an answer, and committed data is
//! kept.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Barrier;
use std::thread;

use partnerkit::{Agency, ErrorKind, Platform, ResellerQuery};
use partnerkit_tests::disk::{on_a_disk_of, remount};
use partnerkit_tests::sqlite::assert_sound;
use partnerkit_tests::{invitation, letters};

const WRITERS: usize = 32;

fn url(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("resellers.db").display())
}

/// The answers that writers got, by the labels that they wanted.
#[derive(Default)]
struct Told {
    stored: BTreeSet<String>,
    refused: usize,
    unknown: BTreeSet<String>,
}

impl Told {
    fn create(&mut self, agency: &Agency, label: String) {
        match agency.create_reseller(invitation(&label)).map_err(|error| error.kind()) {
            Ok(_) => drop(self.stored.insert(label)),
            Err(ErrorKind::OutcomeUnknown) => drop(self.unknown.insert(label)),
            Err(kind) => {
                assert_eq!(kind, ErrorKind::Storage);
                self.refused += 1;
            }
        }
    }

    /// Writes until three writes are refused, which happens long before the thousandth.
    fn fill(agency: &Agency, writer: usize) -> Self {
        let mut told = Self::default();
        for n in 0..1_000 {
            if told.refused + told.unknown.len() == 3 {
                break;
            }
            told.create(agency, format!("w{}{}", letters(writer), letters(n)));
        }
        told
    }

    fn add(mut self, other: Self) -> Self {
        self.stored.extend(other.stored);
        self.unknown.extend(other.unknown);
        self.refused += other.refused;
        self
    }
}

/// Fills the disk until that many bytes are free.
fn leave_free(ballast: &Path, bytes: u64) {
    let mut file = fs::File::create(ballast).expect("a file");
    while file.write_all(&[1; 4096]).is_ok() {}
    let full = file.metadata().expect("there").len();
    file.set_len(full.saturating_sub(bytes)).expect("frees");
}

fn everyone(agency: &Agency) -> BTreeSet<String> {
    let mut labels = BTreeSet::new();
    let mut next = Some(ResellerQuery::all().limit(200));
    while let Some(query) = next {
        let page = agency.page(&query).expect("reads");
        labels.extend(page.resellers.iter().map(|reseller| reseller.login_domain.to_string()));
        next = page.next.map(|cursor| query.after(cursor));
    }
    labels
}

/// Asserts that each acknowledged reseller exists and is found by its name, and no other one,
/// except possibly those whose outcome is unknown.
fn assert_kept(agency: &Agency, told: &Told) {
    let there = everyone(agency);
    assert!(told.stored.is_subset(&there), "{:?}", told.stored.difference(&there));
    let known: BTreeSet<_> = told.stored.union(&told.unknown).cloned().collect();
    assert!(there.is_subset(&known), "{:?}", there.difference(&known));
    for label in &there {
        let found = agency.page(&ResellerQuery::text(label.as_str())).expect("searches").resellers;
        let found: Vec<_> = found.iter().map(|reseller| reseller.login_domain.as_str()).collect();
        assert_eq!(found, [label.as_str()]);
    }
    assert_eq!(agency.overview().expect("reads").active_resellers, there.len() as u64);
}

#[test]
fn a_disk_that_fills_up_under_32_writers_loses_nothing_that_was_acknowledged() {
    let test = "a_disk_that_fills_up_under_32_writers_loses_nothing_that_was_acknowledged";
    on_a_disk_of(24, test, |folder| {
        let platform = Platform::open(&url(folder)).expect("opens");
        let agency = platform.create_agency("northwind", None).expect("creates");
        let mut told = Told::default();
        let ballast = folder.join("ballast");
        // In each round the disk becomes full at another step of a write.
        for round in 0..6 {
            leave_free(&ballast, 400_000 + round as u64 * 3_000);
            let start = Barrier::new(WRITERS);
            let fill = |writer| {
                start.wait();
                Told::fill(&agency, round * WRITERS + writer)
            };
            let all: Vec<_> = thread::scope(|scope| {
                let fill = &fill;
                let threads: Vec<_> = (0..WRITERS).map(|w| scope.spawn(move || fill(w))).collect();
                threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
            });
            told = all.into_iter().fold(told, Told::add);
            fs::remove_file(&ballast).expect("removes");
            told.create(&agency, format!("afterwards{}", letters(round)));
            assert_kept(&agency, &told);
        }
        assert!(told.stored.len() > WRITERS && told.refused > WRITERS);
        drop((agency, platform));
        let platform = Platform::open(&url(folder)).expect("opens again");
        assert_kept(&platform.agency("northwind").expect("there"), &told);
        assert_sound(&folder.join("resellers.db"));
    });
}

/// The disk cannot be made read-only while a store is open, because the system refuses that.
#[test]
fn a_read_only_file_system_is_a_typed_error_and_loses_nothing() {
    let test = "a_read_only_file_system_is_a_typed_error_and_loses_nothing";
    on_a_disk_of(8, test, |folder| {
        let refused = || Platform::open(&url(folder)).map(drop).map_err(|error| error.kind());
        remount(folder, "ro");
        assert_eq!(refused(), Err(ErrorKind::Storage), "no file");
        remount(folder, "rw");
        let mut told = Told::default();
        let agency = Platform::open(&url(folder)).expect("opens").create_agency("northwind", None);
        told.create(&agency.expect("creates"), "acme".to_owned());
        remount(folder, "ro");
        assert_eq!(refused(), Err(ErrorKind::Storage), "a file");
        remount(folder, "rw");
        let agency = Platform::open(&url(folder)).expect("opens").agency("northwind");
        let agency = agency.expect("there");
        told.create(&agency, "globex".to_owned());
        assert_eq!(told.stored.len(), 2);
        assert_kept(&agency, &told);
    });
}
